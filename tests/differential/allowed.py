"""What Atlas takes and another refuses, without a fault of Atlas': each with the reason why."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Allowed:
    why: str
    peers: frozenset  # who may refuse
    pattern: bytes  # what the request has, in any case

    def applies(self, request):
        return re.search(self.pattern, request, re.DOTALL | re.IGNORECASE) is not None


def may_refuse(peers, pattern, why):
    return Allowed(why, frozenset(peers.split()), pattern)


ALL = [
    may_refuse("llhttp", rb"HTTP/1\.[2-9]\r\n",
               "a higher minor version is served as 1.1 (RFC 9110, 2.5); llhttp knows only 1.0 and 1.1"),
    may_refuse("llhttp", rb"\n[0-9a-f]+([ \t]*;[^\r\n]*[ \t\\]|[ \t]+;)",
               "white space and quoted pairs in chunk extensions (RFC 9112, 7.1.1); llhttp knows neither"),
    may_refuse("nginx h2o llhttp", rb"\n[a-z-]+:( *\t|[^\r\n]*\t *\r\n)",
               "tabs around a field's value are as good as spaces (RFC 9110, 5.6.3); not to everybody"),
    may_refuse("h2o", rb"\n(content-length|transfer-encoding):[^\r\n]* \r\n",
               "space behind a field's value belongs to the line (RFC 9112, 5.1); h2o takes it for the value's"),
    may_refuse("h2o", rb"^(\r\n){2}|(\r\n){4}",
               "empty lines before a request are skipped (RFC 9112, 2.2); h2o skips one"),
    may_refuse("h2o", rb"\nexpect:(?! *100-continue\r)",
               "an expectation that nobody knows is ignored, as RFC 9110, 10.1.1 allows; h2o answers 417"),
]


def excuses(request, names):
    """Those of `names` that may refuse the request, by reason."""
    found = {allowed.why: allowed.peers & names for allowed in ALL if allowed.applies(request)}
    return {why: peers for why, peers in found.items() if peers}
