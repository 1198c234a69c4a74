"""The measurements: load cells (one server, one workload, one round), system calls, memory of idle connections."""

import contextlib
import re
import statistics
import time
from dataclasses import asdict, dataclass, field
from typing import Optional

from harness import many, probe, processes, wrk
from harness.servers import FLOOR, Launch, Running, ServerFailed
from harness.workloads import CONNECTIONS

IDLE_SETTLE_SECONDS = 2


@dataclass(frozen=True)
class Setup:
    """Where and how everything runs."""

    build: object
    scratch: object
    port_base: int
    server_core: int
    load_core: int
    seconds: int
    connections: int = CONNECTIONS

    def launch(self, index=0, workers=1, files=False):
        return Launch(self.build, self.port_base + index, self.scratch, workers, self.files if files else None)

    @property
    def files(self):
        return self.scratch / "files"

    def start(self, server, workload, index=0, wrapper=()):
        return Running(server, self.launch(index, files=workload.files), (self.server_core,), wrapper)


@dataclass
class Cell:
    """One server under one workload in one round."""

    server: str
    workload: str
    round: int
    requests_per_second: float = 0
    cpu_us: float = 0
    user_us: float = 0
    requests: int = 0
    p50_us: int = 0
    p99_us: int = 0
    ratio: Optional[float] = None
    problem: str = ""


def load_round(setup, servers, workloads, number, report):
    """Starts all servers, drives each through each workload, stops them. Returns the cells.

    Servers are neighbours in time within a workload, so that a ratio compares what ran under the same weather, and
    take turns at being first. A new process each round: no server keeps a lucky (or unlucky) memory layout.
    """
    cells = []
    with contextlib.ExitStack() as stack:
        running, dead = start_all(setup, servers, workloads, stack)
        for workload in workloads:
            row = []
            for server in rotated([s for s in servers if not s.why_not(workload, setup.build)], number):
                cell = Cell(server.name, workload.name, number)
                key = server.name, workload.files
                if key in dead:
                    cell.problem = dead[key]
                else:
                    drive_cell(setup, running[key], workload, cell)
                report(cell)
                row.append(cell)
            set_ratios(row, workload.base)
            cells += row
    return cells


def rotated(items, by):
    by %= max(len(items), 1)
    return items[by:] + items[:by]


def start_all(setup, servers, workloads, stack):
    """Starts each server once for canned answers and once for files, as far as the workloads need it."""
    running, dead = {}, {}
    kinds = {workload.files: workload for workload in workloads}
    wanted = [(server, workload) for workload in kinds.values() for server in servers
              if not workload.files or not server.why_not(workload, setup.build)]
    for index, (server, workload) in enumerate(wanted):
        key = server.name, workload.files
        try:
            running[key] = stack.enter_context(setup.start(server, workload, index))
        except ServerFailed as error:
            dead[key] = str(error)
    return running, dead


def drive_cell(setup, running, workload, cell):
    try:
        running.check_alive()
        probe.verify(running.port, workload)
        pids = processes.with_descendants(running.process.pid)
        load, used = drive(setup, workload, running.port, pids)
        running.check_alive()
        fill(cell, load, used)
    except (probe.WrongAnswer, wrk.WrkFailed, ServerFailed, OSError) as error:
        cell.problem = str(error)


def drive(setup, workload, port, pids):
    """Returns the load and the processor time that it took the server."""
    if workload.connections:
        return many.drive(setup, workload, port, pids)
    before = processes.cpu_time(pids)
    load = wrk.drive(workload, port, setup.connections, setup.seconds, setup.load_core)
    return load, processes.cpu_time(pids) - before


def fill(cell, load, used):
    cell.problem = ", ".join(load.problems())
    cell.requests = load.requests
    cell.requests_per_second = load.requests / load.seconds
    cell.cpu_us = used.total_us / max(load.requests, 1)
    cell.user_us = used.user_us / max(load.requests, 1)
    cell.p50_us, cell.p99_us = load.p50_us, load.p99_us


def set_ratios(row, base_name):
    base = next((cell for cell in row if cell.server == base_name and not cell.problem), None)
    for cell in row:
        if base and base.cpu_us and not cell.problem:
            cell.ratio = cell.cpu_us / base.cpu_us


@dataclass
class Summary:
    """One server under one workload, over all rounds."""

    server: str
    workload: str
    requests_per_second: float = 0
    cpu_us: float = 0
    user_us: float = 0
    user_over_floor_us: Optional[float] = None
    ratio: Optional[float] = None
    ratio_min: Optional[float] = None
    ratio_max: Optional[float] = None
    p50_us: Optional[float] = None
    p99_us: Optional[float] = None
    problems: list = field(default_factory=list)


def summarise(cells, servers, workloads):
    summaries = []
    for workload in workloads:
        row = []
        for server in servers:
            own = [c for c in cells if c.server == server.name and c.workload == workload.name]
            if own:
                row.append(summary_of(own, has_latency=workload.pipeline == 1))
        set_user_over_floor(row)
        summaries += row
    return summaries


def set_user_over_floor(row):
    """What is charged as user time for entering the kernel (bench/README.md) is in the floor's, too: take it away."""
    floor = next((s for s in row if s.server == FLOOR and not s.problems), None)
    for summary in row:
        if floor and not summary.problems:
            summary.user_over_floor_us = summary.user_us - floor.user_us


def summary_of(cells, has_latency):
    """A cell that failed in one round has failed: an average over the rest would hide it."""
    summary = Summary(cells[0].server, cells[0].workload)
    summary.problems = [f"round {cell.round + 1}: {cell.problem}" for cell in cells if cell.problem]
    if summary.problems:
        return summary
    summary.requests_per_second = median(cells, "requests_per_second")
    summary.cpu_us = median(cells, "cpu_us")
    # The kernel splits user from system time by sampling: all rounds' samples together say more than a median.
    summary.user_us = sum(c.user_us * c.requests for c in cells) / sum(c.requests for c in cells)
    ratios = [c.ratio for c in cells if c.ratio is not None]
    if ratios:
        summary.ratio, summary.ratio_min, summary.ratio_max = statistics.median(ratios), min(ratios), max(ratios)
    if has_latency:  # wrk's percentiles are wrong when requests are pipelined
        summary.p50_us, summary.p99_us = median(cells, "p50_us"), median(cells, "p99_us")
    return summary


def median(cells, name):
    return statistics.median(getattr(cell, name) for cell in cells)


# ---- system calls ----

STRACE_LINE = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.MULTILINE)
NAMED_CALLS_MIN = 0.01


def syscalls(setup, server, workload):
    """System calls per request by name, from `strace -c` over a short run of its own."""
    output = setup.scratch / f"strace-{server.name}-{workload.name}.txt"
    wrapper = ["strace", "-f", "-c", "-o", str(output)]
    with setup.start(server, workload, wrapper=wrapper) as running:
        probe.verify(running.port, workload)
        requests = loaded_requests(setup, workload, running.port)
    counts = {name: int(calls) / requests for calls, name in STRACE_LINE.findall(output.read_text())}
    counts.pop("total", None)
    named = {name: round(count, 3) for name, count in counts.items() if count >= NAMED_CALLS_MIN}
    return {"server": server.name, "workload": workload.name, "per_request": round(sum(counts.values()), 3),
            "by_name": dict(sorted(named.items(), key=lambda item: -item[1]))}


# ---- instructions ----

CALLGRIND_TOTAL = re.compile(r"^totals: (\d+)", re.MULTILINE)


def instructions(setup, server, workload):
    """Instructions per request outside the kernel, counted by callgrind: the same again and again, on any machine."""
    started, _ = callgrind_run(setup, server, workload, "start", lambda port: 0)
    loaded, requests = callgrind_run(setup, server, workload, "load",
                                     lambda port: loaded_requests(setup, workload, port))
    if loaded <= started:
        raise wrk.WrkFailed("callgrind saw nothing of the load")
    return {"server": server.name, "workload": workload.name, "per_request": round((loaded - started) / requests, 1)}


def callgrind_run(setup, server, workload, name, load):
    """Returns the instructions of the server's whole life under `load`, and the number of requests that it returns."""
    prefix = f"callgrind-{server.name}-{workload.name}-{name}"
    wrapper = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={setup.scratch / prefix}-%p"]
    with setup.start(server, workload, wrapper=wrapper) as running:
        probe.verify(running.port, workload)
        requests = load(running.port)
    totals = [CALLGRIND_TOTAL.search(path.read_text()) for path in setup.scratch.glob(f"{prefix}-*")]
    return sum(int(total.group(1)) for total in totals if total), requests


def loaded_requests(setup, workload, port):
    load, _ = drive(setup, workload, port, ())
    if load.problems():
        raise wrk.WrkFailed(", ".join(load.problems()))
    return load.requests


# ---- memory ----


def idle_memory(setup, server, workload, count):
    """What each of `count` keep-alive connections that has had one answer adds to the server's resident memory."""
    with setup.start(server, workload) as running:
        probe.verify(running.port, workload)
        time.sleep(IDLE_SETTLE_SECONDS)
        pids = processes.with_descendants(running.process.pid)
        before = processes.rss_bytes(pids)
        with contextlib.ExitStack() as stack:
            for _ in range(count):
                client = stack.enter_context(probe.Client(running.port))
                client.send(workload.request_bytes())
                probe.verify_answer(workload, *client.read_answer())
            time.sleep(IDLE_SETTLE_SECONDS)
            running.check_alive()
            after = processes.rss_bytes(pids)
    return {"server": server.name, "connections": count, "rss_before": before, "rss_after": after,
            "bytes_per_connection": round((after - before) / count, 1)}


def as_objects(items):
    return [asdict(item) for item in items]
