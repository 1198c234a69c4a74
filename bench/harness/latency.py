"""Latency at a fixed rate that is the same for all servers: half of what the slower of nginx and Atlas can do."""

from harness import generators, measure
from harness.measure import summarise

FIGURES = ("p50_us", "p90_us", "p99_us", "p999_us", "max_us", "late_max")
MEASURES_OF_RATE = ("nginx", "atlas")
BASE = "nginx"


def run(setup, servers, workload, rounds, known, report):
    """`known`: summaries of the workload that this run has measured already. Returns rate, summaries and rounds."""
    rate = half_of_slower(known) or half_of_slower(measured(setup, servers, workload, report))
    if not rate:
        raise generators.GeneratorFailed("no maximum rate was measured: see above")

    def one(running):
        result = generators.run(setup, "open_loop", setup.seconds, port=running.port, connections=setup.connections,
                                rate=rate, milliseconds=setup.seconds * 1000, path=workload.path)
        if result["unanswered"]:
            raise generators.GeneratorFailed(f"{result['unanswered']:,} requests without an answer")
        return result

    results = generators.rounds(setup, servers, workload, rounds, "latency", one, report)
    return {"rate": rate, "rounds": results,
            "summaries": generators.summaries(results, servers, FIGURES, "p99_us", BASE)}


def half_of_slower(summaries):
    rates = [s.requests_per_second for s in summaries if not s.problems]
    return int(min(rates) / 2) if rates else 0


def measured(setup, servers, workload, report):
    """Of nginx and Atlas, or of all chosen servers if neither is among them."""
    chosen = [s for s in servers if s.name in MEASURES_OF_RATE] or servers
    cells = measure.load_round(setup, chosen, [workload], 0,
                               lambda cell: report(f"maximum rate  {cell.server:<6} "
                                                   + (cell.problem or f"{cell.requests_per_second:,.0f}/s")))
    return summarise(cells, chosen, [workload])
