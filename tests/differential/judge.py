"""Compares what Atlas made of a connection's bytes with what another reader did."""

from collections import Counter
from dataclasses import dataclass, field

from . import allowed

FRAMING = "framing disagreement"  # both took requests, and not the same ones
LENIENT = "Atlas more lenient"  # Atlas took what the other refused
STRICTER = "Atlas stricter"
ALLOWED = "allowed"  # Atlas took what the other refused, and we know why
BROKEN = "Atlas broken"  # no HTTP, or no end

SEVERE = {FRAMING, LENIENT, BROKEN}


def kind(path):
    """Which of the requests it is. Paths are written differently by different servers."""
    for known in ("marker", "hidden"):
        if known in path:
            return known
    return "front"


def steps(reading):
    """The requests taken, as (kind, body bytes), and how that ended: refused, closes, or waits for more."""
    taken = []
    for response in reading.responses:
        if response.refuses:
            return taken, f"refuses ({response.status})"
        taken.append((kind(response.path), response.body_bytes))
        if response.closes:
            return taken, "closes"
    return taken, "stuck" if reading.stuck else "malformed" if reading.malformed else "waits"


def same(ours, theirs):
    bodies_known = ours[1] is not None and theirs[1] is not None
    return ours[0] == theirs[0] and (not bodies_known or ours[1] == theirs[1])


def compare(atlas, other):
    """One of the classes above, or None: they agree, as far as both went."""
    our_steps, our_end = steps(atlas)
    their_steps, their_end = steps(other)
    if our_end in ("stuck", "malformed"):
        return BROKEN
    common = min(len(our_steps), len(their_steps))
    if not all(map(same, our_steps[:common], their_steps[:common])):
        return FRAMING
    if len(our_steps) == len(their_steps):
        return compare_ends(our_end, their_end)
    if len(our_steps) < len(their_steps):
        return {"waits": FRAMING, "closes": None}.get(our_end, STRICTER)
    if their_end.startswith("refuses"):
        return LENIENT
    return None if their_end == "closes" else FRAMING


def compare_ends(ours, theirs):
    """Who waits for more bytes has not judged them yet."""
    return STRICTER if ours.startswith("refuses") and theirs == "closes" else None


def describe(reading):
    taken, end = steps(reading)
    parts = [name if size is None else f"{name}+{size}" for name, size in taken]
    return " ".join([*parts, end])


@dataclass
class Finding:
    request: bytes
    readings: dict  # by the reader's name


@dataclass
class Tally:
    """All that was found: how often, and the shortest example of each sort."""

    counts: Counter = field(default_factory=Counter)
    examples: dict = field(default_factory=dict)

    def add(self, sort, finding):
        self.counts[sort] += 1
        shortest = self.examples.get(sort)
        if shortest is None or len(finding.request) < len(shortest.request):
            self.examples[sort] = finding


def verdicts(request, readings):
    """(class, whom it concerns) for all that is to be reported. `readings` is by name, Atlas' with them."""
    found = {name: compare(readings["atlas"], reading) for name, reading in readings.items() if name != "atlas"}
    if BROKEN in found.values():
        return [(BROKEN, "all")]
    results = []
    for verdict in (FRAMING, LENIENT, STRICTER):
        names = {name for name, found_verdict in found.items() if found_verdict == verdict}
        if verdict == LENIENT:
            excuses = allowed.excuses(request, names)
            results += [(ALLOWED, why) for why in excuses]
            names = names.difference(*(excuses[why] for why in excuses))
        if names:
            results.append((verdict, ", ".join(sorted(names))))
    return results
