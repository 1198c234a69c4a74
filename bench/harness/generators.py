"""Runs the load generators of bench/load and reads what they print; interleaves servers over rounds."""

import contextlib
import json
import statistics
import subprocess

from harness import probe
from harness.measure import rotated, start_all
from harness.servers import ServerFailed, pin_to
from harness.wrk import MARK, SECONDS_BEYOND_MAX, WrkFailed

TARGETS = {"open_loop": "bench_open_loop", "closed_loop": "bench_closed_loop", "burst": "bench_burst"}


class GeneratorFailed(Exception):
    pass


FAILURES = (GeneratorFailed, ServerFailed, probe.WrongAnswer, WrkFailed, OSError)


def run(setup, name, seconds, **arguments):
    """Runs bench/load/<name>.cpp on the load core for about `seconds` and returns the object that it prints."""
    command = [str(setup.build / "bench" / name)]
    for key, value in arguments.items():
        command += [f"--{key.replace('_', '-')}", str(value)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=pin_to(setup.load_core),
                              timeout=seconds + SECONDS_BEYOND_MAX)
    except subprocess.TimeoutExpired as error:
        raise GeneratorFailed(f"{name} does not end") from error
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            return json.loads(line.removeprefix(MARK))
    raise GeneratorFailed(f"{name}: {done.stderr.strip()[-300:] or f'ended with status {done.returncode}'}")


def rounds(setup, servers, workload, count, what, measure_one, report):
    """Calls measure_one(running) for each server in each round, all servers running, each in turn the first.

    Returns the objects that it returned, each with its server and round, or with a problem instead.
    """
    results = []
    for number in range(count):
        with contextlib.ExitStack() as stack:
            running, dead = start_all(setup, servers, [workload], stack)
            for server in rotated(servers, number):
                result = {"server": server.name, "round": number}
                try:
                    result |= attempt(running, dead, server, workload, measure_one)
                except FAILURES as error:
                    result["problem"] = str(error)
                report(f"{what} {number + 1}/{count}  {server.name:<6} {result.get('problem', '')}")
                results.append(result)
    return results


def attempt(running, dead, server, workload, measure_one):
    key = server.name, workload.files
    if key in dead:
        raise ServerFailed(dead[key])
    running[key].check_alive()
    probe.verify(running[key].port, workload)
    result = measure_one(running[key])
    running[key].check_alive()
    return result


def summaries(results, servers, figures, ratio_of=None, base=None):
    """For each server its problems, or the medians of `figures` and of the rounds' ratios of one of them to `base`'s."""
    found = []
    for server in servers:
        own = [r for r in results if r["server"] == server.name]
        problems = [f"round {r['round'] + 1}: {r['problem']}" for r in own if "problem" in r]
        summary = {"server": server.name, "problems": problems}
        if not problems:
            summary |= {name: statistics.median(r[name] for r in own) for name in figures}
            if base:
                summary["ratio"] = median_ratio(own, results, ratio_of, base)
        found.append(summary)
    return found


def median_ratio(own, results, figure, base):
    of_base = {r["round"]: r[figure] for r in results if r["server"] == base and r.get(figure)}
    ratios = [r[figure] / of_base[r["round"]] for r in own if r["round"] in of_base]
    return statistics.median(ratios) if ratios else None
