"""Atlas' fibers in gdb, in a live process and in a core file.

  source scripts/gdb/atlas.py
  atlas fibers      lists the fibers of all threads
  atlas fiber N     shows fiber N's stack: frame 0 stays the thread's own, from frame 1 on, `bt` and `up` show the fiber's
  atlas thread      goes back to the thread's own stack

Nothing in the process is changed. Needs x86-64, and the debug information of a file that includes
<atlas/core/fiber_record.hpp>; docs/seeing.md says more.
"""

import gdb
import gdb.unwinder

FREE, READY, PARKED, FINISHED = range(4)
STATES = {READY: "ready", PARKED: "suspended", FINISHED: "ended"}

# What Boost.Context leaves on a stack on x86-64: registers, by their distance from where it was left.
SAVED_REGISTERS = {"r12": 0x08, "r13": 0x10, "r14": 0x18, "r15": 0x20, "rbx": 0x28, "rbp": 0x30, "rip": 0x38}
SAVED_BYTES = 0x40


def schedulers():
    # Through its address: its own file need not have debug information.
    address = gdb.parse_and_eval("(char*) &'atlas::detail::first_scheduler'")
    scheduler = address.cast(gdb.lookup_type("atlas::Scheduler").pointer().pointer()).dereference()
    while int(scheduler) != 0:
        yield scheduler.dereference()
        scheduler = scheduler["next_scheduler_"]


def deque_items(deque):
    """The items of a std::deque of libstdc++, which lie in arrays of 512 bytes, or of one item."""
    implementation = deque["_M_impl"]
    at, finish = implementation["_M_start"], implementation["_M_finish"]
    item, last, node = at["_M_cur"], at["_M_last"], at["_M_node"]
    per_node = max(1, 512 // item.dereference().type.sizeof)
    while item != finish["_M_cur"]:
        yield item.dereference()
        item += 1
        if item == last:
            node += 1
            item = node.dereference()
            last = item + per_node


def text(value, size):
    return value.string(length=int(size), errors="replace") if int(size) > 0 else ""


class Fiber:
    def __init__(self, record, scheduler):
        self.worker = int(scheduler["worker_index_"])
        self.id = int(record["id"])
        self.name = text(record["name_text"]["_M_elems"], record["name_size"])
        self.detail = text(record["detail"]["_M_str"], record["detail"]["_M_len"])
        self.is_running = record.address == scheduler["running_"]["_M_b"]["_M_p"]
        self.state = "running" if self.is_running else STATES.get(int(record["state"]), "?")
        self.reason = record["reason"]["text"].string() if int(record["state"]) == PARKED else ""
        self.left_at = int(record["context"]["_M_payload"]["_M_payload"]["_M_value"]["inside_"])


def fibers():
    for scheduler in schedulers():
        for record in deque_items(scheduler["records_"]):
            if int(record["state"]) != FREE:
                yield Fiber(record, scheduler)


def register_of(name, offset, left_at):
    pointer = gdb.lookup_type("long").pointer()
    return name, gdb.Value(left_at + offset).cast(pointer).dereference()


class FiberUnwinder(gdb.unwinder.Unwinder):
    """Says that the selected thread's frame 0 was called by the fiber that is shown."""

    class FrameId:
        def __init__(self, sp, pc):
            self.sp, self.pc = sp, pc

    def __init__(self):
        super().__init__("atlas fiber")
        self.fiber = None
        self.thread = None

    def show(self, fiber):
        self.fiber = fiber
        self.thread = fiber and gdb.selected_thread().ptid
        gdb.invalidate_cached_frames()

    def __call__(self, pending_frame):
        if self.fiber is None or pending_frame.level() != 0 or gdb.selected_thread().ptid != self.thread:
            return None
        left_at = self.fiber.left_at
        # gdb takes a stack for broken whose outer frames lie deeper: the frame counts as one of the fiber's.
        frame_id = self.FrameId(gdb.Value(left_at), pending_frame.read_register("rip"))
        unwound = pending_frame.create_unwind_info(frame_id)
        for name, offset in SAVED_REGISTERS.items():
            unwound.add_saved_register(*register_of(name, offset, left_at))
        unwound.add_saved_register("rsp", gdb.Value(left_at + SAVED_BYTES))
        return unwound


unwinder = FiberUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)


class AtlasCommand(gdb.Command):
    """Fibers of Atlas: atlas fibers, atlas fiber N, atlas thread."""

    def __init__(self):
        super().__init__("atlas", gdb.COMMAND_STACK, prefix=True)


class FibersCommand(gdb.Command):
    """Lists the fibers of all threads: number, worker (-1: none), state, name, what it waits for, what it serves."""

    def __init__(self):
        super().__init__("atlas fibers", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        print(f"{'N':>4} {'worker':>6} {'id':>6}  {'state':9}  {'name':16}  {'waits for':16}  serves")
        for number, fiber in enumerate(fibers(), 1):
            line = (f"{number:4} {fiber.worker:6} {fiber.id:6}  {fiber.state:9}  {fiber.name:16}  {fiber.reason:16}"
                    f"  {fiber.detail}")
            print(line.rstrip())


class FiberCommand(gdb.Command):
    """atlas fiber N: shows the stack of fiber N of `atlas fibers` behind frame 0 of this thread."""

    def __init__(self):
        super().__init__("atlas fiber", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        if not argument.isdigit():
            raise gdb.GdbError("atlas fiber N: a number of `atlas fibers`")
        chosen = next((fiber for number, fiber in enumerate(fibers(), 1) if number == int(argument)), None)
        if chosen is None:
            raise gdb.GdbError(f"there is no fiber {argument}")
        if chosen.is_running:
            raise gdb.GdbError(f"fiber {argument} is running: its stack is its thread's")
        if gdb.selected_frame().architecture().name() != "i386:x86-64":
            raise gdb.GdbError("atlas fiber knows x86-64 only")
        unwinder.show(chosen)
        gdb.execute("frame 1")


class ThreadCommand(gdb.Command):
    """Goes back from a fiber's stack to the thread's own."""

    def __init__(self):
        super().__init__("atlas thread", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        unwinder.show(None)
        gdb.execute("frame 0")


AtlasCommand()
FibersCommand()
FiberCommand()
ThreadCommand()
