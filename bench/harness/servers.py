"""The servers that are compared: how each is built, started, found ready and stopped."""

import functools
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Optional

START_SECONDS_MAX = 10
STOP_SECONDS_MAX = 10
HOST = "127.0.0.1"


class ServerFailed(Exception):
    """A server that did not start, or did not live as long as it was needed."""


FILE_BYTES = {"/file-4k.bin": 4 * 1024, "/file-1m.bin": 1024 * 1024}


@dataclass(frozen=True)
class Launch:
    """How a server is to be started."""

    build: Path
    port: int
    scratch: Path  # for its own files
    workers: int = 1
    files: Optional[Path] = None  # a folder to serve instead of the canned answers


@dataclass(frozen=True)
class Server:
    name: str
    title: str
    command: Callable[[Launch], list]
    program: Callable[[Path], Optional[str]]  # None when it is missing
    target: Optional[str] = None  # of CMake; None when it is not ours to build
    version: Callable[[Path], str] = lambda _: ""
    lacks: tuple = ()  # paths that it cannot serve
    lacks_files: Callable[[Path], str] = lambda _: ""  # why it serves no folder; empty when it does
    scales: bool = False  # to more workers than one

    def why_not(self, workload, build):
        """Why it cannot do the workload; empty when it can."""
        if workload.files:
            return self.lacks_files(build)
        return f"has no {workload.path}" if workload.path in self.lacks else ""


def write_files(folder):
    """The files of the workloads that serve files: noise, always the same."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in FILE_BYTES:
        (folder / path.removeprefix("/")).write_bytes(file_content(path))


@functools.cache
def file_content(path):
    return random.Random(path).randbytes(FILE_BYTES[path])


def from_build(relative):
    def program(build):
        path = build / relative
        return str(path) if os.access(path, os.X_OK) else None

    return program


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().partition("\n")[0]


def bench_server(name, title, executable):
    program = from_build(f"bench/{executable}")
    return Server(name, title, lambda launch: [program(launch.build), str(launch.port)], program,
                  f"bench_{executable}", lacks_files=lambda _: "serves no files")


NGINX_CONFIG = """
{user}
worker_processes {workers};
worker_rlimit_nofile {files};
daemon off;
pid {scratch}/nginx.pid;
error_log {scratch}/nginx-error.log crit;
events {{ worker_connections {files}; multi_accept on; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  tcp_nodelay on;
  sendfile on;
  open_file_cache max=1000;
  open_file_cache_valid 1h;
  client_body_temp_path {scratch}/body;
  proxy_temp_path {scratch}/proxy;
  fastcgi_temp_path {scratch}/fastcgi;
  uwsgi_temp_path {scratch}/uwsgi;
  scgi_temp_path {scratch}/scgi;
  server {{
    listen {host}:{port} backlog=4096{reuseport};
    root {root};
    location = /plaintext {{ default_type text/plain; return 200 "Hello, World!"; }}
    location = /json {{ default_type application/json; return 200 '{{"message":"Hello, World!"}}'; }}
  }}
}}
"""


def nginx_command(launch):
    config = launch.scratch / "nginx.conf"
    user = "user root root;" if os.geteuid() == 0 else ""  # the scratch folder is root's, too
    config.write_text(NGINX_CONFIG.format(
        user=user, scratch=launch.scratch, host=HOST, port=launch.port, files=files_max(), workers=launch.workers,
        reuseport=" reuseport" if launch.workers > 1 else "", root=launch.files or launch.scratch))
    return [nginx_program(launch.build), "-p", str(launch.scratch), "-c", str(config),
            "-e", str(launch.scratch / "nginx-start.log")]


def nginx_program(_):
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def files_max():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


# h2o has no canned answer. A file that holds it costs a quarter less than a handler in mruby does.
H2O_CONFIG = """
{user}
num-threads: {workers}
max-connections: {connections}
tcp-fastopen: 0
http1-request-timeout: 3600
pid-file: {scratch}/h2o.pid
file.etag: OFF
file.mime.setdefaulttype: text/plain
listen:
  host: {host}
  port: {port}
hosts:
  default:
    paths:
      /plaintext:
        file.file: {scratch}/plaintext
      /json:
        file.file: {scratch}/answer.json
      /:
        file.dir: {root}
"""


def h2o_command(launch):
    (launch.scratch / "plaintext").write_text("Hello, World!")
    (launch.scratch / "answer.json").write_text('{"message":"Hello, World!"}')
    config = launch.scratch / "h2o.conf"
    user = "user: root" if os.geteuid() == 0 else ""
    config.write_text(H2O_CONFIG.format(
        user=user, scratch=launch.scratch, host=HOST, port=launch.port, workers=launch.workers,
        connections=files_max() // 2 + files_max() // 4, root=launch.files or launch.scratch))
    return [h2o_program(launch.build), "-m", "worker", "-c", str(config)]


def h2o_program(_):
    return shutil.which("h2o") or shutil.which("h2o", path="/usr/sbin:/usr/local/sbin")


atlas_program = from_build("bin/atlas")
CONNECTIONS_OF_ONE_ADDRESS = 20000  # every client of a benchmark has the same


def atlas_command(launch):
    command = [atlas_program(launch.build), "serve", "--host", HOST, "--port", str(launch.port),
               "--workers", str(launch.workers), "--limit-per-address", str(CONNECTIONS_OF_ONE_ADDRESS)]
    return command + (["--static", str(launch.files)] if launch.files else [])


@functools.cache
def atlas_lacks_files(build):
    done = subprocess.run([atlas_program(build), "serve", "--help"], capture_output=True, text=True, check=False)
    return "" if "--static" in done.stdout else "this build has no --static"


FLOOR = "epoll"
ALL = [
    bench_server(FLOOR, "bare epoll (floor)", "epoll_floor"),
    bench_server("libuv", "bare libuv + llhttp", "libuv_plain"),
    Server("atlas", "Atlas", atlas_command, atlas_program, "atlas_command", lacks_files=atlas_lacks_files,
           scales=True, version=lambda build: first_line(atlas_program(build), "--version")),
    Server("nginx", "nginx", nginx_command, nginx_program, lacks=("/echo",), scales=True,
           version=lambda build: first_line(nginx_program(build), "-v")),
    Server("h2o", "h2o", h2o_command, h2o_program, lacks=("/echo",), scales=True,
           version=lambda build: first_line(h2o_program(build), "-v")),
    bench_server("beast", "Boost.Beast, asio::spawn", "beast_spawn"),
]


def answers(port):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((HOST, port)) == 0


class Running:
    """One server process (and its children), listening on `port`; to be used in a `with`."""

    def __init__(self, server, launch, cores=(), wrapper=()):
        self.server = server
        self.port = launch.port
        own = replace(launch, scratch=launch.scratch / f"{server.name}-{launch.port}")
        own.scratch.mkdir(exist_ok=True)
        self.log_path = own.scratch / "output.log"
        if answers(launch.port):
            raise ServerFailed(f"port {launch.port} is taken: choose another --port-base")
        command = [*wrapper, *server.command(own)]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, preexec_fn=pin_to(*cores))
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while not answers(self.port):
            self.check_alive()
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.server.name} does not listen on port {self.port}: {self.log_tail()}")
            time.sleep(0.02)

    def check_alive(self):
        if self.process.poll() is not None:
            raise ServerFailed(f"{self.server.name} ended with status {self.process.returncode}: {self.log_tail()}")

    def log_tail(self):
        return self.log_path.read_text(errors="replace").strip()[-500:] or "(it printed nothing)"

    def stop(self):
        """Asks the process group to end, then insists."""
        for ask, seconds in ((signal.SIGTERM, STOP_SECONDS_MAX), (signal.SIGKILL, None)):
            try:
                os.killpg(self.process.pid, ask)
                self.process.wait(seconds)
                return
            except ProcessLookupError:
                self.process.wait()
                return
            except subprocess.TimeoutExpired:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def pin_to(*cores):
    return (lambda: os.sched_setaffinity(0, cores)) if cores else None
