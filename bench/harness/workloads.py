"""What is asked of a server: each workload is one way to drive wrk, and one thing to verify beforehand."""

from dataclasses import dataclass
from typing import Optional

from harness.servers import FILE_BYTES, FLOOR, file_content

CONNECTIONS = 64
BODIES = {"/plaintext": b"Hello, World!", "/json": b'{"message":"Hello, World!"}'}


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    path: str
    body_bytes: int = 0
    pipeline: int = 1
    close: bool = False
    connections: Optional[int] = None  # instead of --connections

    @property
    def files(self):
        """Whether a folder is served, not the canned answers."""
        return self.path in FILE_BYTES

    @property
    def base(self):
        """The server that ratios are to. The floor serves no files."""
        return "nginx" if self.files else FLOOR

    def expected_body(self):
        if self.files:
            return file_content(self.path)
        return b"a" * self.body_bytes if self.body_bytes else BODIES[self.path]

    def request_bytes(self):
        """One request, spelled as wrk spells it."""
        method = "POST" if self.body_bytes else "GET"
        head = f"{method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        if self.body_bytes:
            head += f"Content-Length: {self.body_bytes}\r\n"
        if self.close:
            head += "Connection: close\r\n"
        return head.encode() + b"\r\n" + (self.expected_body() if self.body_bytes else b"")

    def wrk_arguments(self):
        """For bench/wrk/load.lua."""
        options = {"path": self.path, "body_bytes": self.body_bytes, "pipeline": self.pipeline,
                   "close": int(self.close)}
        return [f"{name}={value}" for name, value in options.items()]


ALL = [
    Workload("plaintext", "plaintext", "/plaintext"),
    Workload("pipelined", "plaintext, 16 requests pipelined", "/plaintext", pipeline=16),
    Workload("json", "JSON", "/json"),
    Workload("connect", "plaintext, a new connection for each request", "/plaintext", close=True),
    Workload("echo-1k", "POST echo of 1 KiB", "/echo", body_bytes=1024),
    Workload("echo-64k", "POST echo of 64 KiB", "/echo", body_bytes=64 * 1024),
    Workload("plaintext-10k", "plaintext, 10,000 connections", "/plaintext", connections=10_000),
    Workload("file-4k", "a file of 4 KiB", "/file-4k.bin"),
    Workload("file-1m", "a file of 1 MiB", "/file-1m.bin"),
]
