"""Who reads the requests: three servers on unix sockets, and llhttp in a program of its own."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import time
from dataclasses import dataclass, replace
from typing import Optional

START_SECONDS_MAX = 10
ANSWER_SECONDS_MAX = 3

# As a proxy before itself, since nginx would answer by itself before it has read a body.
NGINX_CONFIG = """
{user}
worker_processes 1;
daemon off;
pid {scratch}/nginx.pid;
error_log {scratch}/nginx-error.log crit;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {scratch}/body;
  proxy_temp_path {scratch}/proxy;
  fastcgi_temp_path {scratch}/fastcgi;
  uwsgi_temp_path {scratch}/uwsgi;
  scgi_temp_path {scratch}/scgi;
  lingering_close off;
  server {{
    listen unix:{socket};
    location / {{ proxy_ignore_client_abort on; proxy_pass http://unix:{scratch}/back.sock; }}
  }}
  server {{
    listen unix:{scratch}/back.sock;
    location / {{
      add_header x-path $request_uri always;
      add_header x-body $content_length always;
      return 200 "";
    }}
  }}
}}
"""

# A redirection names the path, whatever the method is.
H2O_CONFIG = """
listen: {{type: unix, port: {socket}, permission: 600}}
num-threads: 1
error-log: {scratch}/h2o-error.log
hosts:
  default:
    paths:
      /: {{redirect: {{status: 302, url: "http://h/"}}}}
"""


class PeerFailed(Exception):
    """A server that does not start, or is gone."""


@dataclass(frozen=True)
class Response:
    status: int
    path: str  # that the server says was asked for; empty when it refuses
    closes: bool  # said to be the connection's last
    body_bytes: Optional[int] = None  # of the request, where the server says so

    @property
    def refuses(self):
        return not self.path


@dataclass(frozen=True)
class Reading:
    """What a peer made of the bytes of a connection."""

    responses: tuple
    malformed: bool = False  # what it sent was no HTTP
    stuck: bool = False  # it neither answered nor closed


class Server:
    """A server process; to be used in a `with`."""

    def __init__(self, name, command, scratch):
        self.name = name
        self.socket_path = str(scratch / f"{name}.sock")
        self.log_path = scratch / f"{name}.log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        self._wait_until_ready()

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            self.check_alive()
            try:
                self.connect().close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    self.stop()
                    raise PeerFailed(f"{self.name} does not listen: {self.log_tail()}") from None
                time.sleep(0.02)

    def check_alive(self):
        if self.process.poll() is not None:
            raise PeerFailed(f"{self.name} ended with status {self.process.returncode}: {self.log_tail()}")

    def log_tail(self):
        return self.log_path.read_text(errors="replace").strip()[-500:] or "(it printed nothing)"

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(ANSWER_SECONDS_MAX)
        connection.connect(self.socket_path)
        return connection

    def begin(self, data):
        """Sends everything and closes this side, so that whoever waits for more sees that none comes."""
        connection = self.connect()
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has closed already; what it said is there to be read
        return connection

    @staticmethod
    def finish(connection, method):
        received = b""
        stuck = False
        try:
            while piece := connection.recv(65536):
                received += piece
        except socket.timeout:
            stuck = True
        except OSError:
            pass
        connection.close()
        return read_responses(received, method, stuck)

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(5)
        except ProcessLookupError:
            self.process.wait()
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def read_responses(data, method, stuck):
    responses = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        words = lines[0].split(b" ")
        if not end or not words[0].startswith(b"HTTP/1.") or len(words) < 2 or not words[1].isdigit():
            return Reading(tuple(responses), malformed=True, stuck=stuck)
        status = int(words[1])
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
        if status < 200 and status != 101:
            data = rest
            continue
        if status == 101:  # what follows is another protocol
            responses.append(Response(status, "/front", True))
            break
        has_body = status not in (204, 304) and not (method == b"HEAD" and not responses)
        data = behind_body(rest, fields) if has_body else rest
        path = (fields.get(b"x-path") or fields.get(b"location", b"")) if status < 400 else b""
        closes = fields.get(b"connection", b"").lower() == b"close"
        body_bytes = int(fields[b"x-body"] or 0) if b"x-body" in fields else None
        responses.append(Response(status, path.decode("latin-1"), closes, body_bytes))
    return Reading(tuple(responses), stuck=stuck)


def behind_body(data, fields):
    if b"content-length" in fields:
        return data[int(fields[b"content-length"]):]
    if fields.get(b"transfer-encoding") != b"chunked":
        return b""
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size or b"0", 16)
        data = data[length + 2:]
        if length == 0:
            return data


def atlas(build, scratch):
    command = [build / "bin/atlas", "serve", build / "lib/libdifferential_application.so", "--unix",
               scratch / "atlas.sock", "--workers", "1", "--log-level", "error"]
    return Server("atlas", command, scratch)


def nginx(scratch):
    config = scratch / "nginx.conf"
    user = "user root root;" if os.geteuid() == 0 else ""
    config.write_text(NGINX_CONFIG.format(user=user, scratch=scratch, socket=scratch / "nginx.sock"))
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if not program:
        raise PeerFailed("nginx is not installed: scripts/setup differential")
    return Server("nginx", [program, "-p", scratch, "-c", config, "-e", scratch / "nginx-start.log"], scratch)


def h2o(scratch):
    config = scratch / "h2o.conf"
    config.write_text(H2O_CONFIG.format(scratch=scratch, socket=scratch / "h2o.sock"))
    program = shutil.which("h2o")
    if not program:
        raise PeerFailed("h2o is not installed: scripts/setup differential")
    return Server("h2o", [program, "-c", config], scratch)


class LenientReader:
    """llhttp with everything allowed that it can allow."""

    name = "llhttp"

    def __init__(self, build):
        self.process = subprocess.Popen([build / "bin/differential_lenient_reader"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def read(self, data):
        self.process.stdin.write(struct.pack(">I", len(data)) + data)
        self.process.stdin.flush()
        answer = self.process.stdout.readline().decode("latin-1").rstrip("\n")
        if not answer:
            raise PeerFailed("the lenient reader is gone")
        requests, _, end = answer.rpartition(" ")
        parts = [request.rpartition(" ") for request in requests.split(",") if request]
        responses = [Response(200, path or "/", False, int(body)) for path, _, body in parts]
        if end == "error":
            responses.append(Response(400, "", True))
        elif end == "upgrade" and responses:
            responses[-1] = replace(responses[-1], closes=True)
        return Reading(tuple(responses))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
