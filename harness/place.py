"""Where a run takes place: versions, machine, and who this driver is."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from harness.store import canonical

PACKAGES = "numpy", "numba", "llvmlite", "scipy", "scikit-learn", "mnist1d", "mlxtend"
"""What a learner or a task computes with; a package that is not installed is left out."""


def environment() -> dict[str, Any]:
    """Versions, system and processor of this machine."""
    return {
        "python": platform.python_version(),
        "packages": dict(_versions()),
        "platform": platform.platform(),
        "cpu": _processor(),
        "cores": os.cpu_count(),
    }


def environment_digest(described: dict[str, Any]) -> str:
    """A digest of the versions alone, so that the same software on two machines has one."""
    return hashlib.sha256(canonical([described["python"], described["packages"]]).encode()).hexdigest()[:16]


def _versions() -> list[tuple[str, str]]:
    """The packages that are installed."""
    found = []
    for package in PACKAGES:
        try:
            found.append((package, importlib.metadata.version(package)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    """The name of the processor, where the system tells it."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def host() -> str:
    """The name of this machine."""
    return platform.node()


def owner() -> str:
    """The name of this process, so that another driver can see whether it is still alive: `where/pid/start`."""
    return f"{_here()}/{os.getpid()}/{_started(os.getpid())}"


def alive(holder: str) -> bool:
    """Whether the driver may be alive; of one on another machine nothing is known, and it may."""
    where, pid, start = holder.rsplit("/", 2)
    return where != _here() or _started(int(pid)) == start


@functools.cache
def _here() -> str:
    """The name of this machine since its start, and this space of process numbers."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{host()}/{boot}/{Path('/proc/self/ns/pid').readlink()}"


def _started(pid: int) -> str:
    """When a process started, in ticks of the system's clock; empty if it is gone or has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in {"Z", "X"} else fields[19]
