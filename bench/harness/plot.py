"""Results as a picture (SVG) and as a page around it (HTML): no library, no network, readable in light and dark."""

from html import escape

from harness import tables

AXIS_MAX = 3.0  # a bar beyond it is broken off: its number says how far it goes
AXIS_MIN = 1.5

WIDTH = 1080
MARGIN = 28
COLUMNS = 2
GAP = 48
PANEL_WIDTH = (WIDTH - 2 * MARGIN - GAP * (COLUMNS - 1)) / COLUMNS
LABEL_WIDTH = 186
VALUE_WIDTH = 58
BAR_WIDTH = PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH
ROW = 27
BAR = 15
PANEL_TITLE = 34
PANEL_FOOT = 44
HEAD = 84

COLOURS = """
  --paper: #fbfbf9; --ink: #1d2328; --soft: #5c666f; --rule: #dcdfe1; --bar: #93a7b8; --floor: #c3c8cc;
  --atlas: #d9622b; --whisker: #1d2328; --bad: #b3261e;"""
DARK_COLOURS = """
  --paper: #15191d; --ink: #e6e9eb; --soft: #9aa5ae; --rule: #323a41; --bar: #5f7a90; --floor: #4d565d;
  --atlas: #ee7f4b; --whisker: #e6e9eb; --bad: #ff8a80;"""
FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'DejaVu Sans', sans-serif"

STYLE = f"""
.atlas-bench {{{COLOURS} }}
@media (prefers-color-scheme: dark) {{ .atlas-bench {{{DARK_COLOURS} }} }}
.atlas-bench text {{ font: 13px {FONT}; fill: var(--ink); font-variant-numeric: tabular-nums; }}
.atlas-bench .paper {{ fill: var(--paper); }}
.atlas-bench .head {{ font-size: 19px; font-weight: 650; }}
.atlas-bench .title {{ font-size: 14px; font-weight: 650; }}
.atlas-bench .soft {{ fill: var(--soft); }}
.atlas-bench .tick {{ fill: var(--soft); font-size: 11px; }}
.atlas-bench .own {{ font-weight: 650; }}
.atlas-bench .bad {{ fill: var(--bad); }}
.atlas-bench .bar {{ fill: var(--bar); }}
.atlas-bench .bar.floor {{ fill: var(--floor); }}
.atlas-bench .bar.own {{ fill: var(--atlas); }}
.atlas-bench .grid {{ stroke: var(--rule); }}
.atlas-bench .one {{ stroke: var(--ink); stroke-dasharray: 4 3; }}
.atlas-bench .whisker {{ stroke: var(--whisker); stroke-width: 1.3; fill: none; }}
.atlas-bench .break {{ stroke: var(--paper); stroke-width: 2.5; fill: none; }}
"""

PAGE_STYLE = f"""
body {{ margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 {FONT}; }}
main {{ max-width: {WIDTH}px; margin: 0 auto; padding: 12px; }}
svg {{ width: 100%; height: auto; }}
h2 {{ font-size: 16px; margin: 32px {MARGIN}px 8px; }}
p, .scroll {{ margin: 8px {MARGIN}px; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th, td {{ padding: 3px 0 3px 18px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }}
th {{ color: var(--soft); font-weight: 500; }}
th:first-child, td:first-child {{ text-align: left; padding-left: 0; min-width: 190px; }}
td.left {{ text-align: left; }}
td.remark {{ text-align: left; white-space: normal; }}
td.bad {{ color: var(--bad); }}
tr.own td {{ font-weight: 650; }}
tbody tr.group th {{ color: var(--ink); font-weight: 650; text-align: left; padding-top: 20px; }}
.soft {{ color: var(--soft); }}
"""


class Axis:
    """Where a ratio lies on a panel's bars."""

    def __init__(self, summaries):
        ratios = [s.ratio_max for s in summaries if s.ratio_max is not None]
        self.end = min(AXIS_MAX, max([AXIS_MIN, *(ratio * 1.05 for ratio in ratios)]))

    def x(self, ratio):
        return LABEL_WIDTH + BAR_WIDTH * min(ratio, self.end) / self.end

    def breaks(self, ratio):
        return ratio > self.end

    def ticks(self):
        return [step / 2 for step in range(int(self.end * 2) + 1)]


def svg(servers, workloads, summaries, build, standalone=True):
    axis = Axis(summaries)
    panel_height = PANEL_TITLE + ROW * len(servers) + PANEL_FOOT
    rows = -(-len(workloads) // COLUMNS)
    height = HEAD + rows * panel_height
    parts = [
        f'<svg class="atlas-bench" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        + (f' width="{WIDTH}" height="{height}"' if standalone else "") + ">",
        f"<style>{STYLE}</style>" if standalone else "",
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
        text(MARGIN, 36, "Processor time per request, as a ratio to a bare epoll loop", "head"),
        text(MARGIN, 59, "Less is better. Bars are medians over the rounds, lines reach from the least to the most; "
             "the dashed line is the floor (for files: nginx).", "soft"),
    ]
    for index, workload in enumerate(workloads):
        x = MARGIN + (index % COLUMNS) * (PANEL_WIDTH + GAP)
        y = HEAD + (index // COLUMNS) * panel_height
        parts.append(f'<g transform="translate({x:.1f} {y})">{panel(axis, workload, servers, summaries, build)}</g>')
    return "\n".join(parts) + "\n</svg>\n"


def panel(axis, workload, servers, summaries, build):
    own = {s.server: s for s in summaries if s.workload == workload.name}
    bottom = PANEL_TITLE + ROW * len(servers)
    parts = [text(0, 18, capitalised(workload.title) + against(workload), "title")]
    for tick in axis.ticks():
        x = axis.x(tick)
        parts.append(vertical(x, PANEL_TITLE - 6, bottom, "grid"))
        parts.append(text(x, bottom + 15, f"{tick:g}", "tick", "middle"))
    for index, server in enumerate(servers):
        parts.append(bar_row(axis, workload, server, own.get(server.name), PANEL_TITLE + ROW * index, build))
    parts.append(vertical(axis.x(1), PANEL_TITLE - 6, bottom, "one"))
    return "".join(parts)


def bar_row(axis, workload, server, summary, y, build):
    middle = y + ROW / 2 - 2
    baseline = middle + 4.5
    kind = {"atlas": "own", workload.base: "floor"}.get(server.name, "")
    label = text(LABEL_WIDTH - 10, baseline, server.title, "own" if kind == "own" else "", "end")
    if summary is None:
        return label + text(LABEL_WIDTH + 6, baseline, server.why_not(workload, build), "soft")
    if summary.problems:
        return label + text(LABEL_WIDTH + 6, baseline, "failed", "bad")
    if summary.ratio is None:
        alone = f"{summary.cpu_us:.2f} µs (no {workload.base} in this run)"
        return label + text(LABEL_WIDTH + 6, baseline, alone, "soft")
    end = axis.x(summary.ratio)
    bar = (f'<rect class="bar {kind}" x="{LABEL_WIDTH}" y="{middle - BAR / 2}" width="{end - LABEL_WIDTH:.1f}" '
           f'height="{BAR}" rx="1.5"/>')
    mark = break_mark(end, middle) if axis.breaks(summary.ratio) else whisker(axis, summary, middle)
    value = text(PANEL_WIDTH, baseline, f"{summary.ratio:.2f}", "own" if kind == "own" else "", "end")
    return label + bar + mark + value


def whisker(axis, summary, y):
    low, high = axis.x(summary.ratio_min), axis.x(summary.ratio_max)
    if high - low < 1:
        return ""
    return f'<path class="whisker" d="M{low:.1f} {y}H{high:.1f}M{low:.1f} {y - 4}v8M{high:.1f} {y - 4}v8"/>'


def break_mark(end, y):
    """Two slashes through a bar that goes on beyond the axis."""
    return "".join(f'<path class="break" d="M{end - offset} {y + 10}l7 -20"/>' for offset in (22, 15))


def vertical(x, top, bottom, kind):
    return f'<path class="{kind}" d="M{x:.1f} {top}V{bottom}"/>'


def text(x, y, content, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(content)}</text>'


def capitalised(title):
    return title[0].upper() + title[1:]


def html(servers, workloads, results, facts, options, build):
    loaded = results["summaries"]
    body = [
        svg(servers, workloads, loaded, build, standalone=False) if loaded else "",
        load_section(servers, workloads, loaded, build) if loaded else "",
        *(extra_section(servers, *part) for part in tables.extra_sections(results)),
        syscall_section(servers, workloads, results["syscalls"]),
        instruction_section(servers, workloads, results["instructions"]),
        idle_section(servers, results["idle"]),
        machine_section(facts, options),
    ]
    return ('<!doctype html>\n<html lang="en" class="atlas-bench">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>Atlas, benchmark</title>\n'
            f"<style>{STYLE}{PAGE_STYLE}</style>\n</head>\n<body>\n<main>\n" + "\n".join(filter(None, body))
            + "\n</main>\n</body>\n</html>\n")


def load_section(servers, workloads, summaries, build):
    rows = []
    for workload in workloads:
        span = len(tables.LOAD_COLUMNS) + 1
        title = escape(capitalised(workload.title) + against(workload))
        rows.append(f'<tr class="group"><th colspan="{span}">{title}</th></tr>')
        for server, texts, remark in tables.load_rows(workload, servers, summaries, build):
            rows.append(load_row(server, texts, remark, tables.LOAD_COLUMNS))
    return section("Numbers", ["", *tables.LOAD_COLUMNS], rows)


def against(workload):
    return ", against nginx" if workload.files else ""


def extra_section(servers, heading, columns, rows):
    by_name = {server.name: server for server in servers}
    return section(capitalised(heading), ["", *columns],
                   [load_row(by_name[name], texts, remark, columns) for name, texts, remark in rows])


def load_row(server, texts, remark, columns):
    if texts is None:
        rest = f'<td class="remark bad" colspan="{len(columns)}">{escape(remark)}</td>'
    else:
        rest = "".join(f"<td>{escape(t)}</td>" for t in texts)
    return row_of(server.name, f"<td>{escape(server.title)}</td>{rest}")


def syscall_section(servers, workloads, results):
    rows = [row_of(r["server"], f'<td>{escape(tables.title(servers, r["server"]))}</td>'
                   f'<td class="left">{escape(tables.title(workloads, r["workload"]))}</td>'
                   f'<td>{r["per_request"]:.2f}</td>'
                   f'<td class="remark">{escape(", ".join(f"{n} {c:.2f}" for n, c in r["by_name"].items()))}</td>')
            for r in results]
    return section("System calls per request", ["", "", "all", ""], rows) if rows else ""


def instruction_section(servers, workloads, results):
    rows = [row_of(r["server"], f'<td>{escape(tables.title(servers, r["server"]))}</td>'
                   f'<td class="left">{escape(tables.title(workloads, r["workload"]))}</td>'
                   f'<td>{r["per_request"]:,.0f}</td>') for r in results]
    return section("Instructions per request outside the kernel", ["", "", "instructions"], rows) if rows else ""


def idle_section(servers, results):
    rows = [row_of(r["server"], f'<td>{escape(tables.title(servers, r["server"]))}</td>'
                   f'<td>{r["bytes_per_connection"]:,.0f}</td><td>{r["connections"]:,}</td>') for r in results]
    return section("Memory per idle connection that has made a request", ["", "bytes", "connections"],
                   rows) if rows else ""


def row_of(server, cells):
    return f'<tr class="own">{cells}</tr>' if server == "atlas" else f"<tr>{cells}</tr>"


def section(title, head, rows):
    head_cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    return (f"<h2>{escape(title)}</h2>\n<div class=\"scroll\"><table>\n<thead><tr>{head_cells}</tr></thead>\n<tbody>\n"
            + "\n".join(rows) + "\n</tbody>\n</table></div>")


def machine_section(facts, options):
    versions = "; ".join([facts["wrk"], facts["compiler"], *facts["versions"].values()])
    run = (f'{options["rounds"]} rounds of {options["seconds"]} s for each cell, {options["connections"]} connections, '
           f'server on core {options["cores"]["server"]}, wrk on core {options["cores"]["load"]}')
    machine = f'{facts["cpu"]}, {facts["cores"]} cores, {facts["system"]}, kernel {facts["kernel"]}'
    return "".join(f'<p class="soft">{escape(line)}</p>' for line in (
        f'Measured {facts["time"]}, commit {facts["commit"]}: {run}.', f"{machine}.", f"{versions}."))
