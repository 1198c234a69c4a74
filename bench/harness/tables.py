"""Results as text tables for a terminal."""

from harness.servers import FLOOR

DASH = "–"
TITLE_WIDTH = 46


def number(value, digits=2):
    return DASH if value is None else f"{value:,.{digits}f}"


def milliseconds(microseconds):
    return DASH if microseconds is None else f"{microseconds / 1000:,.2f}"


def spread(summary):
    if summary.ratio is None:
        return DASH
    return f"{summary.ratio:.2f} ({summary.ratio_min:.2f}–{summary.ratio_max:.2f})"


LOAD_COLUMNS = ["requests/s", "µs/request", "ratio to base", "user µs", "over floor", "p50 ms", "p99 ms"]


def load_cells(summary):
    """The texts of one row, under LOAD_COLUMNS; None when the cell failed."""
    if summary.problems:
        return None
    return [number(summary.requests_per_second, 0), number(summary.cpu_us), spread(summary),
            number(summary.user_us), number(summary.user_over_floor_us),
            milliseconds(summary.p50_us), milliseconds(summary.p99_us)]


def load_head(workload):
    base = "floor" if workload.base == FLOOR else workload.base
    return [name.replace("base", base) for name in LOAD_COLUMNS]


def load_rows(workload, servers, summaries, build):
    """(server, texts or None, remark) for every server, also for those that cannot serve the workload."""
    by_server = {s.server: s for s in summaries if s.workload == workload.name}
    for server in servers:
        summary = by_server.get(server.name)
        if summary is None:
            yield server, [DASH] * len(LOAD_COLUMNS), server.why_not(workload, build)
        elif summary.problems:
            yield server, None, "FAILED: " + "; ".join(summary.problems)
        else:
            yield server, load_cells(summary), ""


def load_table(workload, servers, summaries, build):
    rows = []
    for server, texts, remark in load_rows(workload, servers, summaries, build):
        rows.append([server.title, *(texts or [""] * len(LOAD_COLUMNS)), remark])
    return table([workload.title.ljust(TITLE_WIDTH), *load_head(workload), ""], rows)


def syscall_table(servers, workloads, results):
    rows = []
    for result in results:
        names = ", ".join(f"{name} {count:.2f}" for name, count in result["by_name"].items())
        rows.append([title(servers, result["server"]), title(workloads, result["workload"]),
                     number(result["per_request"]), names])
    return table(["system calls per request", "", "all", "by name"], rows, left=(0, 1, 3))


def instruction_table(servers, workloads, results):
    rows = [[title(servers, r["server"]), title(workloads, r["workload"]), number(r["per_request"], 0)]
            for r in results]
    return table(["instructions per request", "", "outside the kernel"], rows, left=(0, 1))


def idle_table(servers, results):
    rows = [[title(servers, r["server"]), number(r["bytes_per_connection"], 0), str(r["connections"])] for r in results]
    return table(["memory per idle connection", "bytes", "connections"], rows)


LATENCY_COLUMNS = ["p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms", "p99 ratio to nginx", "longest line"]
BURST_COLUMNS = ["last answer ms", "slowest ms", "cpu ms", "cpu ratio to floor", "sending ms"]
SCALING_COLUMNS = ["requests/s, one core", "two cores", "ratio", "µs/request, one worker", "two workers",
                   "2 × one / two"]


def latency_cells(s):
    return [*(milliseconds(s[name]) for name in ("p50_us", "p90_us", "p99_us", "p999_us", "max_us")),
            number(s["ratio"]), number(s["late_max"], 0)]


def burst_cells(s):
    return [milliseconds(s["last_us"]), milliseconds(s["slowest_us"]), milliseconds(s["cpu_us"]), number(s["ratio"]),
            milliseconds(s["sent_us"])]


def scaling_cells(s):
    return [number(s["one_per_second"], 0), number(s["two_per_second"], 0), number(s["rate_ratio"]),
            number(s["one_cpu_us"]), number(s["two_cpu_us"]), number(s["cpu_ratio"])]


def extra_sections(results):
    """(title, columns, rows of (server's name, texts or None, remark)) of what was measured beside the load."""
    kinds = [
        ("latency", lambda r: f"latency at {r['rate']:,} requests/s", LATENCY_COLUMNS, latency_cells),
        ("burst", lambda r: f"a burst on {r['connections']:,} idle connections", BURST_COLUMNS, burst_cells),
        ("scaling", lambda r: "two workers on two cores", SCALING_COLUMNS, scaling_cells),
    ]
    for name, heading, columns, cells in kinds:
        result = results[name]
        if result:
            yield heading(result), columns, [extra_row(s, cells) for s in result["summaries"]]


def extra_row(summary, cells):
    if summary["problems"]:
        return summary["server"], None, "FAILED: " + "; ".join(summary["problems"])
    return summary["server"], cells(summary), ""


def extra_table(servers, section):
    heading, columns, rows = section
    return table([heading.ljust(TITLE_WIDTH), *columns, ""],
                 [[title(servers, name), *(texts or [""] * len(columns)), remark] for name, texts, remark in rows])


def title(items, name):
    return next(item.title for item in items if item.name == name)


def table(head, rows, left=(0,)):
    """Columns aligned to the right, but for those in `left` and the last when it holds remarks."""
    left = {*left, len(head) - 1} if head[-1] == "" else set(left)
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    if len(head) - 1 in left:
        widths[-1] = len(head[-1])
    return "\n".join(line(row, widths, left) for row in [head, ["─" * width for width in widths], *rows])


def line(row, widths, left):
    return "  ".join(text.ljust(w) if i in left else text.rjust(w)
                     for i, (text, w) in enumerate(zip(row, widths))).rstrip()
