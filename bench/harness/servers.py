"""The servers that are compared: how each is built, started, found ready and stopped."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

START_SECONDS_MAX = 10
STOP_SECONDS_MAX = 10
HOST = "127.0.0.1"


class ServerFailed(Exception):
    """A server that did not start, or did not live as long as it was needed."""


@dataclass(frozen=True)
class Server:
    name: str
    title: str
    command: Callable[[Path, int, Path], list]  # of the build folder, the port and a scratch folder
    program: Callable[[Path], Optional[str]]  # None when it is missing
    target: Optional[str] = None  # of CMake; None when it is not ours to build
    version: Callable[[Path], str] = lambda _: ""
    lacks: tuple = ()  # paths that it cannot serve

    def can_do(self, workload):
        return workload.path not in self.lacks


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
    return Server(name, title, lambda build, port, _: [program(build), str(port)], program, f"bench_{executable}")


NGINX_CONFIG = """
{user}
worker_processes 1;
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
  client_body_temp_path {scratch}/body;
  proxy_temp_path {scratch}/proxy;
  fastcgi_temp_path {scratch}/fastcgi;
  uwsgi_temp_path {scratch}/uwsgi;
  scgi_temp_path {scratch}/scgi;
  server {{
    listen {host}:{port} backlog=4096;
    location = /plaintext {{ default_type text/plain; return 200 "Hello, World!"; }}
    location = /json {{ default_type application/json; return 200 '{{"message":"Hello, World!"}}'; }}
  }}
}}
"""


def nginx_command(build, port, scratch):
    config = scratch / "nginx.conf"
    user = "user root root;" if os.geteuid() == 0 else ""  # the scratch folder is root's, too
    config.write_text(NGINX_CONFIG.format(user=user, scratch=scratch, host=HOST, port=port, files=files_max()))
    return [nginx_program(build), "-p", str(scratch), "-c", str(config), "-e", str(scratch / "nginx-start.log")]


def nginx_program(_):
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def files_max():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


atlas_program = from_build("bin/atlas")


def atlas_command(build, port, _):
    return [atlas_program(build), "serve", "--host", HOST, "--port", str(port), "--workers", "1"]


FLOOR = "epoll"
ALL = [
    bench_server(FLOOR, "bare epoll (floor)", "epoll_floor"),
    bench_server("libuv", "bare libuv + llhttp", "libuv_plain"),
    Server("atlas", "Atlas", atlas_command, atlas_program, "atlas_command",
           version=lambda build: first_line(atlas_program(build), "--version")),
    Server("nginx", "nginx", nginx_command, nginx_program, lacks=("/echo",),
           version=lambda build: first_line(nginx_program(build), "-v")),
    bench_server("beast", "Boost.Beast, asio::spawn", "beast_spawn"),
]


def answers(port):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((HOST, port)) == 0


class Running:
    """One server process (and its children), listening on `port`; to be used in a `with`."""

    def __init__(self, server, build, port, scratch, core=None, wrapper=()):
        self.server = server
        self.port = port
        self.log_path = scratch / f"{server.name}.log"
        if answers(port):
            raise ServerFailed(f"port {port} is taken: choose another --port-base")
        command = [*wrapper, *server.command(build, port, scratch)]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, preexec_fn=pin_to(core))
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


def pin_to(core):
    return None if core is None else lambda: os.sched_setaffinity(0, {core})
