"""Runs wrk and reads what its script prints."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.servers import HOST, pin_to

SCRIPTS = Path(__file__).resolve().parent.parent / "wrk"
MARK = "RESULT "
SECONDS_BEYOND_MAX = 30
TIMEOUT_SECONDS = 10  # an answer that takes longer is an error


class WrkFailed(Exception):
    pass


@dataclass(frozen=True)
class Load:
    """What one run of wrk saw."""

    requests: int
    seconds: float
    p50_us: int
    p99_us: int
    errors: dict

    def problems(self):
        found = [f"{count} {kind}" for kind, count in self.errors.items() if count]
        return found if self.requests else found + ["no answer"]


def run(script, url, connections, seconds, arguments=(), core=None, threads=1):
    """Runs bench/wrk/<script> and returns the object that it prints."""
    command = ["wrk", f"--threads={threads}", f"--connections={connections}", f"--duration={seconds}s", "--latency",
               f"--timeout={TIMEOUT_SECONDS}s", f"--script={SCRIPTS / script}", url, "--", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              preexec_fn=None if core is None else pin_to(core), timeout=seconds + SECONDS_BEYOND_MAX)
    except subprocess.TimeoutExpired as error:
        raise WrkFailed("wrk does not end") from error
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            return json.loads(line.removeprefix(MARK))
    raise WrkFailed(f"wrk ended with status {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}")


def drive(workload, port, connections, seconds, core=None):
    result = run("load.lua", f"http://{HOST}:{port}", connections, seconds, workload.wrk_arguments(), core)
    return Load(**result)
