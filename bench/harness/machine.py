"""What a result must say about where it was measured."""

import os
import platform
import re
import time
from pathlib import Path

from harness import servers


def facts(root, build, chosen):
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "commit": commit(root),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "kernel": platform.release(),
        "system": system_name(),
        "load_average": os.getloadavg(),
        "python": platform.python_version(),
        "wrk": servers.first_line("wrk", "--version").partition(" [")[0],
        "compiler": compiler(build),
        "versions": {server.name: server.version(build) for server in chosen if server.version(build)},
    }


def commit(root):
    head = servers.first_line("git", "-C", str(root), "rev-parse", "--short", "HEAD")
    if not re.fullmatch(r"[0-9a-f]+", head):
        return "none"
    changed = servers.first_line("git", "-C", str(root), "status", "--porcelain")
    return f"{head} with changes" if changed else head


def cpu_model():
    found = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def system_name():
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def compiler(build):
    cache = build / "CMakeCache.txt"
    found = cache.exists() and re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache.read_text(), re.MULTILINE)
    return servers.first_line(found.group(1), "--version") if found else "unknown"
