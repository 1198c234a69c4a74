"""Full load on thousands of connections, which are there before anything is measured (bench/load/closed_loop.cpp)."""

import json
import subprocess
import threading

from harness import processes
from harness.servers import pin_to
from harness.wrk import MARK, SECONDS_BEYOND_MAX, Load, WrkFailed

PROGRAM = "closed_loop"


def drive(setup, workload, port, pids):
    """Returns the Load and the server's processor time, neither with the connections' coming nor with their going."""
    command = [str(setup.build / "bench" / PROGRAM), "--port", str(port), "--path", workload.path,
               "--connections", str(workload.connections), "--milliseconds", str(setup.seconds * 1000)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=pin_to(setup.load_core)) as process:
        watchdog = threading.Timer(setup.seconds + SECONDS_BEYOND_MAX, process.kill)
        watchdog.start()
        try:
            expect(process, "READY")
            before = processes.cpu_time(pids)
            process.stdin.write("go\n")
            process.stdin.flush()
            result = json.loads(expect(process, MARK))
            used = processes.cpu_time(pids) - before
            process.stdin.close()
            return Load(**result, errors={}), used
        finally:
            watchdog.cancel()
            process.kill()


def expect(process, start):
    """Returns the rest of a line that has to begin so."""
    line = process.stdout.readline()
    if not line.startswith(start):
        raise WrkFailed(f"{PROGRAM}: {process.stderr.read().strip()[-300:] or 'it does not end'}")
    return line.removeprefix(start)
