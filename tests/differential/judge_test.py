"""The judge of the differential test, which must not overlook what it is there for."""

import random
import unittest

from . import grammar, judge
from .peers import Reading, Response, read_responses

PLAIN = b"GET /front HTTP/1.1\r\nHost: h\r\n\r\n"


def reading(*paths, end=None):
    """`end`: refuses or closes."""
    responses = [Response(200, path, False) for path in paths]
    if end == "refuses":
        responses.append(Response(400, "", True))
    elif end == "closes":
        responses[-1] = Response(200, paths[-1], True)
    return Reading(tuple(responses))


def verdicts(atlas, request=PLAIN, **others):
    return judge.verdicts(request, {"atlas": atlas, **others})


class JudgeTest(unittest.TestCase):
    def test_the_same_requests_are_no_finding(self):
        both = reading("/front", "/marker")
        self.assertEqual(verdicts(both, nginx=both, h2o=both), [])

    def test_a_request_that_only_atlas_sees_is_one(self):
        found = verdicts(reading("/front", "/hidden", "/marker"), nginx=reading("/front", "/marker"))
        self.assertEqual(found, [(judge.FRAMING, "nginx")])

    def test_a_request_that_atlas_takes_for_a_body_is_one(self):
        found = verdicts(reading("/front"), nginx=reading("/front", "/marker"))
        self.assertEqual(found, [(judge.FRAMING, "nginx")])

    def test_bodies_of_other_lengths_are_one(self):
        atlas = Reading((Response(200, "/front", False, 5),))
        nginx = Reading((Response(200, "/front", False, 6),))
        self.assertEqual(verdicts(atlas, nginx=nginx), [(judge.FRAMING, "nginx")])

    def test_what_atlas_takes_and_others_refuse_is_one(self):
        refusal = reading(end="refuses")
        found = verdicts(reading("/front", "/marker"), nginx=refusal, h2o=refusal)
        self.assertEqual(found, [(judge.LENIENT, "h2o, nginx")])

    def test_what_is_allowed_excuses_only_whom_it_names(self):
        refusal = reading(end="refuses")
        request = b"GET /front HTTP/1.2\r\nHost: h\r\n\r\n"
        found = verdicts(reading("/front", "/marker"), request, llhttp=refusal, h2o=refusal)
        self.assertEqual([verdict for verdict, _ in found], [judge.ALLOWED, judge.LENIENT])
        self.assertEqual(found[-1], (judge.LENIENT, "h2o"))

    def test_who_closes_has_not_judged_what_is_behind(self):
        found = verdicts(reading("/front", "/marker"), nginx=reading("/front", end="closes"))
        self.assertEqual(found, [])

    def test_a_refusal_by_atlas_is_strictness(self):
        found = verdicts(reading(end="refuses"), nginx=reading("/front", "/marker"))
        self.assertEqual(found, [(judge.STRICTER, "nginx")])

    def test_what_is_no_http_is_noticed(self):
        broken = read_responses(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-path: /front\r\n\r\nfoo", b"GET", False)
        self.assertEqual(verdicts(broken, nginx=reading("/front")), [(judge.BROKEN, "all")])

    def test_responses_are_told_apart(self):
        data = (b"HTTP/1.1 100 Continue\r\n\r\n"
                b"HTTP/1.1 200 OK\r\nx-path: /front\r\nx-body: 7\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\nno")
        self.assertEqual(read_responses(data, b"GET", False).responses,
                         (Response(200, "/front", False, 7), Response(400, "", True)))

    def test_the_same_seed_gives_the_same_requests(self):
        first, again = (grammar.Generator(random.Random(7)) for _ in range(2))
        self.assertEqual([first.request() for _ in range(200)], [again.request() for _ in range(200)])


if __name__ == "__main__":
    unittest.main()
