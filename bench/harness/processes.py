"""What the kernel says about a process and its descendants: processor time and memory (proc(5))."""

import os
import resource
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class CpuTime:
    user_us: float
    system_us: float

    @property
    def total_us(self):
        return self.user_us + self.system_us

    def __sub__(self, earlier):
        return CpuTime(self.user_us - earlier.user_us, self.system_us - earlier.system_us)


def stat_fields(pid):
    """The fields of /proc/PID/stat from the third on, `state` being number 0. The second may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def children_by_parent():
    children = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            children.setdefault(int(stat_fields(pid)[1]), []).append(int(pid))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return children


def with_descendants(pid):
    children = children_by_parent()
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found


def cpu_time(pids):
    """User and system time of the processes, all their threads included."""
    ticks = [tuple(map(int, stat_fields(pid)[11:13])) for pid in pids]
    microseconds = 1e6 / TICKS_PER_SECOND
    return CpuTime(sum(user for user, _ in ticks) * microseconds, sum(system for _, system in ticks) * microseconds)


def rss_bytes(pids):
    """Resident memory. smaps_rollup counts pages; VmRSS of /proc/PID/status may lag behind by many."""
    return sum(kilobytes(Path(f"/proc/{pid}/smaps_rollup"), "Rss:") for pid in pids) * 1024


def kilobytes(path, field):
    for line in path.read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    raise ValueError(f"{path} has no {field}")


def raise_open_files_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
