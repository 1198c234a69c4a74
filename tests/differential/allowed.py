"""Disagreements that are none of Atlas' faults, each with the reason why."""

import re
from dataclasses import dataclass
from typing import Callable

from . import judge


@dataclass(frozen=True)
class Allowed:
    why: str
    verdict: str
    peers: str  # as the verdict names them
    applies: Callable  # of the request


def has(pattern):
    compiled = re.compile(pattern, re.DOTALL | re.IGNORECASE)
    return lambda request: compiled.search(request) is not None


ALL = [
    Allowed("a higher minor version is served as 1.1 (RFC 9110, 2.5); llhttp knows 1.0 and 1.1 only",
            judge.LENIENT, "(h2o, )?llhttp", has(rb"HTTP/1\.[2-9]\r\n")),
    Allowed("space is allowed before a chunk extension and around its parts (RFC 9112, 7.1.1); llhttp knows none",
            judge.LENIENT, "llhttp", has(rb"[0-9a-f]+[ \t;][^\r\n]*[ \t]|[0-9a-f]+[ \t]+;")),
]


def reason(request, verdict, peers):
    """Why that is allowed, or None."""
    for allowed in ALL:
        if allowed.verdict == verdict and re.fullmatch(allowed.peers, peers) and allowed.applies(request):
            return allowed.why
    return None
