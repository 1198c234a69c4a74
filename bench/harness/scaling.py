"""Two workers on two cores against one on one, where each core carries its share of the load generator, too."""

import concurrent.futures
import statistics

from harness import generators, probe, processes, wrk
from harness.measure import rotated
from harness.servers import Running, ServerFailed

FIGURES = ("one_per_second", "two_per_second", "one_cpu_us", "two_cpu_us", "rate_ratio", "cpu_ratio")


def run(setup, servers, workload, rounds, report):
    chosen = [server for server in servers if server.scales]
    results = []
    for number in range(rounds):
        for server in rotated(chosen, number):
            result = {"server": server.name, "round": number} | attempt(setup, server, workload)
            report(f"scaling {number + 1}/{rounds}  {server.name:<6} "
                   + (result.get("problem") or f"{result['cpu_ratio']:.2f}"))
            results.append(result)
    return {"summaries": generators.summaries(results, chosen, FIGURES), "rounds": results}


def attempt(setup, server, workload):
    """One core, then both: the server has as many workers, and each core a wrk of its own."""
    try:
        one = on_cores(setup, server, workload, (setup.server_core,))
        two = on_cores(setup, server, workload, (setup.server_core, setup.load_core))
    except generators.FAILURES as error:
        return {"problem": str(error)}
    return {"one_per_second": one[0], "two_per_second": two[0], "one_cpu_us": one[1], "two_cpu_us": two[1],
            "rate_ratio": two[0] / one[0], "cpu_ratio": 2 * one[1] / two[1]}


def on_cores(setup, server, workload, cores):
    """Returns requests per second and the server's processor time per request."""
    with Running(server, setup.launch(workers=len(cores)), cores) as running:
        probe.verify(running.port, workload)
        pids = processes.with_descendants(running.process.pid)
        before = processes.cpu_time(pids)
        with concurrent.futures.ThreadPoolExecutor(len(cores)) as pool:
            loads = list(pool.map(
                lambda core: wrk.drive(workload, running.port, setup.connections, setup.seconds, core), cores))
        used = processes.cpu_time(pids) - before
        running.check_alive()
    problems = [problem for load in loads for problem in load.problems()]
    if problems:
        raise ServerFailed(", ".join(problems))
    requests = sum(load.requests for load in loads)
    return requests / statistics.mean(load.seconds for load in loads), used.total_us / requests
