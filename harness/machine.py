"""What `hebbench doctor` looks at, in processes of their own, and what `hebbench clean` removes: compiled kernels."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from typing import Any

from harness import place
from harness.jit import cache_folder
from harness.registry import find

PROBE = """
import json, sys, time
from harness.declare import Sizes
from harness.registry import load
import numba
out = []
for where in json.loads(sys.argv[1]):
    cls = load(where)
    wide = cls.can.whole or "vector" not in cls.can.inputs
    start, error = time.process_time(), ""
    try:
        cls().begin(Sizes((1,) if wide else (16,), 3, 16 if wide else 1)).prepare()
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}".partition("\\n")[0]
    out.append((time.process_time() - start, error))
print(json.dumps(out))
"""


def examine(*, compile_kernels: bool) -> dict[str, Any]:
    """The machine, and seconds of CPU to compile (`cold_s`) and to load (`warm_s`) the kernels of each learner.

    `error` says why a learner's kernels do not compile, and is empty for those that do.
    """
    entries = [e for e in find().learners.values() if not e.thing.once]
    kernels = []
    if compile_kernels:
        with tempfile.TemporaryDirectory() as folder:
            cold, warm = (_seconds([e.where for e in entries], folder) for _ in range(2))
        kernels = [
            dict(learner=e.name, cold_s=c[0], warm_s=w[0], error=c[1]) for e, c, w in zip(entries, cold, warm, strict=True)
        ]
    return dict(schema=1, machine=place.environment(), kernels=kernels)


def forget() -> int:
    """Remove the machine code and the memory of imports, and nothing else of the cache folder; return their bytes."""
    removed = 0
    for path in [*cache_folder().glob("numba-*"), *cache_folder().glob("imports.*")]:
        files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
        removed += sum(p.stat().st_size for p in files)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return removed


def _seconds(wheres: list[str], folder: str) -> list[tuple[float, str]]:
    """CPU seconds for each learner, and its error, in one fresh process that keeps machine code in `folder`."""
    environment = os.environ | dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
    )
    environment |= {"HEBBENCH_CACHE": folder, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(wheres)], check=True, capture_output=True, text=True, env=environment
    )
    seconds: list[tuple[float, str]] = json.loads(done.stdout)
    return seconds
