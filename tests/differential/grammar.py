"""Requests as somebody would send them who looks for two readers that read them in two ways.

Each is put together from parts, most of them plain; then some get a byte or two changed. The same seed gives the
same requests.
"""

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"
PLAIN_SHARES = [12, 5, 5, 2]  # how many choices are the plain one for each that is not, one of these for a request

METHODS = [b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"CONNECT", b"PRI", b"get", b"G\tT", b"G:T", b"G(T", b"FOO", b""]
TARGETS = [b"/front", b"http://h/front", b"HTTP://h/front", b"/front?q", b"/front/%2e%2e/front", b"/front#f",
           b"*", b"front", b"/fr ont", b"/fr\tont", b"/fr\x00ont", b"/fr\x80ont", b"/fr%00ont", b"//front",
           b"http://i/front", b"/front?\"<>|^`{}", b"http://h?front", b"http://u@h/front", b"http:///front", b"http://h:80:80/front", b"/front\x7f", b"h:443", b"/front\r", b""]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.10", b"HTTP/01.1", b"http/1.1",
            b"HTTP/1", b"HTTP/1.1 ", b"HTTP /1.1", b"XTTP/1.1", b"HTTP/1,1", b"", b"HTTP/1.1\t"]
SPACES = [b" ", b"  ", b"\t", b"\x0b", b" \t"]
LINE_ENDS = [b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r\n", b" \r\n"]
LEADING = [b"", b"\r\n", b"\r\n\r\n", b"\n", b" ", b"\r", b"\x00", b"\t\r\n"]
HOSTS = [b"h", b"", b"h:80", b"[::1]", b"h,i", b"h i", b"u@h", b"h/p", b"h:80:80", b"h:x", b"h\x80", b"h%41", b"h{",
         b"[::1", b"h:99999", b"h\x00", b"h:", b"h;i"]
NAMES_AFTER = [b":", b": ", b" :", b"\t:", b":\t", b":\x0b", b"\x00:", b": \r\n ", b":\r\n\t", b"", b"=", b"::", b":\xa0"]
LENGTH_NAMES = [b"Content-Length", b"content-length", b"Content-length ", b"Content_Length", b"Content-Length\x00",
                b" Content-Length", b"Content-Length\r", b"X: y\nContent-Length", b"X: y\rContent-Length"]
LENGTHS = [b"N", b"N ", b"0N", b"+N", b"-N", b"N,N", b"N, N", b"N,0", b"0xN", b"N.0", b"N_0", b"", b"N\x0b", b"N\x00",
           b"N;a", b"18446744073709551616", b"18446744073709551617", b"9223372036854775808", b"\"N\"", b"N N", b"\tN"]
CODING_NAMES = [b"Transfer-Encoding", b"transfer-encoding", b"Transfer-Encoding ", b"Transfer_Encoding",
                b"\tTransfer-Encoding", b"Transfer-Encoding\x00", b"X: y\nTransfer-Encoding", b"X: y\rTransfer-Encoding"]
CODINGS = [b"chunked", b"Chunked", b"chunked ", b" \tchunked", b"chunked,", b",chunked", b"chunked, chunked",
           b"gzip, chunked", b"chunked, gzip", b"identity", b"identity, chunked", b"xchunked", b"chunkedx", b"chunked;a",
           b"chunked;a=b", b"\"chunked\"", b"", b"\x0bchunked", b"chunked\x00", b"chu\r\n nked", b"\r\n chunked", b"gzip",
           b"chun\x01ked", b"chunked\x0b", b"chunked\xa0", b"trailers"]
OTHERS = [b"X: y\r\n", b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"Connection: keep-alive, close\r\n", b"Connection: \"close\"\r\n",
          b"Keep-Alive: timeout=5\r\n", b"Proxy-Connection: close\r\n", b"Max-Forwards: 0\r\n", b"X: a\r\n b\r\n", b"X y\r\n", b": y\r\n",
          b"X: \x01\r\n", b"X: \x7f\r\n", b"X: \x00\r\n", b"X: \x80\r\n", b"X\x80: y\r\n", b"X: y\rz\r\n", b"X: y\n",
          b"X(: y\r\n", b"Expect: 100-continue\r\n", b"Expect: fly\r\n", b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
          b"Connection: content-length\r\n", b"Connection: transfer-encoding\r\n", b"TE: trailers\r\n",
          b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: \r\n", b"X:\r\n", b" \r\n", b"\x00\r\n",
          b"Trailer: X\r\n", b"X" + b"x" * 300 + b": y\r\n"]
CHUNK_SIZES = [b"N", b"0N", b"0000000N", b"N ", b" N", b"N\t", b"+N", b"-N", b"0xN", b"N_", b"N;a", b"N ;a", b"N;a=b",
               b"N;a=\"b\"", b"N; a", b"N;", b"N;;", b"N;a=", b"N;=b", b"N;a\x00b", b"N;a\x01", b"N;a=\"b\r\n\"", b"N\x00",
               b"N;a\n", b"N;a\rb", b"10000000000000000N", b"fffffffffffffffN", b"", b"g", b"N.0", b"N,a", b"N;a\x80",
               b"N\r", b"N;a=\"\\\"\"", b"N;a ", b"N;a=b "]
LAST_CHUNKS = [b"0\r\n", b"00\r\n", b"0;a\r\n", b"0\n", b"0 \r\n", b"0\r", b"", b"0\r\r\n", b"-0\r\n", b"0x0\r\n"]
TRAILERS = [b"\r\n", b"X: y\r\n\r\n", b"\n", b"X: y\n\r\n", b"Content-Length: 30\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n",
            b"X\r\n\r\n", b" \r\n\r\n", b"\r", b"X : y\r\n\r\n", b"X: a\r\n b\r\n\r\n", b"Host: i\r\n\r\n", b"\x00\r\n\r\n", b""]
BODIES = [b"hello", b"", b"x", HIDDEN, b"0\r\n\r\n", b"0\r\n\r\n" + HIDDEN, b"\r\n", b"5\r\nhello\r\n0\r\n\r\n"]
BYTES = [b"\r", b"\n", b"\r\n", b" ", b"\t", b"\x00", b"\x0b", b":", b",", b";", b"0", b"\x80", b"\x7f", b"\"", b"\x85", b"\xa0"]


class Generator:
    """Draws requests. `random` decides everything."""

    def __init__(self, random):
        self.random = random
        self.plain_share = PLAIN_SHARES[0]

    def request(self):
        self.plain_share = self.random.choice(PLAIN_SHARES)
        request = self._leading() + self._line() + self._headers_and_body()
        while self.random.randrange(6) == 0:
            request = self._changed(request)
        return request

    def _usually_first(self, choices):
        """The plain form, mostly: what is odd everywhere is refused for its first oddity only."""
        if self.random.randrange(self.plain_share + 1) < self.plain_share:
            return choices[0]
        return self.random.choice(choices)

    def _leading(self):
        return b"" if self.random.randrange(4) else self._usually_first(LEADING)

    def _line(self):
        method = self.random.choice([b"GET", b"POST"])
        if self.random.randrange(8) == 0:
            method = self.random.choice(METHODS)
        parts = [method, self._usually_first(SPACES), self._usually_first(TARGETS), self._usually_first(SPACES),
                 self._usually_first(VERSIONS), self._line_end()]
        return b"".join(parts)

    def _line_end(self):
        return LINE_ENDS[0] if self.random.randrange(6) else self._usually_first(LINE_ENDS)

    def _field(self, name, value):
        between = b": " if self.random.randrange(4) else self._usually_first(NAMES_AFTER)
        return name + between + value + self._line_end()

    def _headers_and_body(self):
        kind = self.random.choice(["none", "length", "length", "chunked", "chunked", "chunked", "both", "two lengths"])
        content = self.random.choice(BODIES)
        body = content
        if kind in ("chunked", "both") and self.random.randrange(8):
            body = self._chunked(content)
        fields = self._hosts()
        if kind in ("length", "both", "two lengths"):
            fields.append(self._length(len(body)))
        if kind == "two lengths":
            fields.append(self._length(self.random.choice([len(body), 0, len(body) + 1])))
        if kind in ("chunked", "both"):
            fields.append(self._field(self._usually_first(CODING_NAMES), self._usually_first(CODINGS)))
            if self.random.randrange(12) == 0:
                fields.append(self._field(CODING_NAMES[0], self.random.choice(CODINGS)))
        if self.random.randrange(3) == 0:
            fields.append(self.random.choice(OTHERS))
        self.random.shuffle(fields)
        return b"".join(fields) + self._line_end() + (b"" if kind == "none" else body)

    def _hosts(self):
        drawn = self.random.randrange(16)
        if drawn == 0:
            return []
        host = self._field(b"Host", self._usually_first(HOSTS))
        return [host, self._field(b"Host", self.random.choice(HOSTS))] if drawn == 1 else [host]

    def _length(self, length):
        value = self._usually_first(LENGTHS).replace(b"N", str(length).encode())
        return self._field(self._usually_first(LENGTH_NAMES), value)

    def _chunked(self, content):
        cut = self.random.randrange(len(content) + 1)
        pieces = [piece for piece in (content[:cut], content[cut:]) if piece]
        return b"".join(map(self._chunk, pieces)) + self._usually_first(LAST_CHUNKS) + self._usually_first(TRAILERS)

    def _chunk(self, piece):
        size = self._usually_first(CHUNK_SIZES).replace(b"N", b"%x" % len(piece))
        return size + self._line_end() + piece + self._line_end()

    def _changed(self, request):
        at = self.random.randrange(len(request) + 1)
        change = self.random.randrange(3)
        if change == 0:
            return request[:at] + self.random.choice(BYTES) + request[at:]
        if change == 1:
            return request[:at] + request[at + 1:]
        return request[:at] + self.random.choice(BYTES) + request[at + 1:]
