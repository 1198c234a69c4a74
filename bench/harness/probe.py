"""A tiny HTTP/1.1 client that verifies answers byte for byte before anything is measured."""

import socket

from harness.servers import HOST

SECONDS_MAX = 5


class WrongAnswer(Exception):
    pass


class Client:
    """One connection. Understands content-length and nothing else, as the benchmark's answers need no more."""

    def __init__(self, port):
        self.socket = socket.create_connection((HOST, port), timeout=SECONDS_MAX)
        self.unread = b""

    def send(self, data):
        self.socket.sendall(data)

    def read_answer(self):
        """Returns status, header fields (names in lower case) and body."""
        while b"\r\n\r\n" not in self.unread:
            self._read_more()
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if "content-length" not in fields:
            raise WrongAnswer(f"no content-length in {head!r}")
        size = int(fields["content-length"])
        while len(self.unread) < size:
            self._read_more()
        body, self.unread = self.unread[:size], self.unread[size:]
        return int(status_line.split()[1]), fields, body

    def _read_more(self):
        data = self.socket.recv(65536)
        if not data:
            raise WrongAnswer(f"the connection ended after {self.unread[-200:]!r}")
        self.unread += data

    def has_ended(self):
        return self.socket.recv(1) == b""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def verify(port, workload):
    """Raises WrongAnswer unless the server does twice what the workload asks of it."""
    try:
        for _ in range(2):
            verify_connection(port, workload, bursts=1 if workload.close else 2)
    except OSError as error:
        raise WrongAnswer(str(error)) from error


def verify_connection(port, workload, bursts):
    with Client(port) as client:
        for _ in range(bursts):
            client.send(workload.request_bytes() * workload.pipeline)
            for _ in range(workload.pipeline):
                verify_answer(workload, *client.read_answer())
        if client.unread:
            raise WrongAnswer(f"more than was asked for: {client.unread[:200]!r}")
        if workload.close and not client.has_ended():
            raise WrongAnswer("the connection stays open after Connection: close")


def verify_answer(workload, status, fields, body):
    if status != 200:
        raise WrongAnswer(f"status {status}")
    if body != workload.expected_body():
        raise WrongAnswer(f"body {body[:100]!r} of {len(body)} bytes")
    closes = fields.get("connection", "").lower() == "close"
    if closes != workload.close:
        raise WrongAnswer(f"connection: {fields.get('connection', '(absent)')}")
