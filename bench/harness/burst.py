"""Many idle connections that all ask at once: how long until the last has its answer, and what that costs."""

from harness import generators, processes
from harness.servers import FLOOR

FIGURES = ("last_us", "slowest_us", "cpu_us", "sent_us", "requests")
BASE = FLOOR
IDLE_SECONDS = 2


def run(setup, servers, workload, rounds, connections, report):
    idle = min(IDLE_SECONDS, setup.seconds)

    def one(running):
        pids = ",".join(map(str, processes.with_descendants(running.process.pid)))
        return generators.run(setup, "burst", idle, port=running.port, connections=connections, pids=pids,
                              idle_milliseconds=idle * 1000, path=workload.path)

    results = generators.rounds(setup, servers, workload, rounds, "burst", one, report)
    return {"connections": connections, "rounds": results,
            "summaries": generators.summaries(results, servers, FIGURES, "cpu_us", BASE)}
