"""What `hebbench doctor` looks at: the machine, and the compile times of all kernels, measured in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from harness import place
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
    start = time.process_time()
    cls().begin(Sizes((1,) if wide else (16,), 3, 16 if wide else 1)).prepare()
    out.append(time.process_time() - start)
print(json.dumps(out))
"""


def examine(*, compile_kernels: bool) -> dict[str, Any]:
    """The machine, and seconds of CPU to compile (`cold_s`) and to load (`warm_s`) the kernels of each learner."""
    entries = [e for e in find().learners.values() if not e.thing.once]
    kernels = []
    if compile_kernels:
        with tempfile.TemporaryDirectory() as folder:
            cold, warm = (_seconds([e.where for e in entries], folder) for _ in range(2))
        kernels = [dict(learner=e.name, cold_s=c, warm_s=w) for e, c, w in zip(entries, cold, warm, strict=True)]
    return dict(schema=1, machine=place.environment(), kernels=kernels)


def _seconds(wheres: list[str], folder: str) -> list[float]:
    """CPU seconds for each learner in one fresh process that keeps machine code in `folder`."""
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    environment |= {"HEBBENCH_CACHE": folder, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run([sys.executable, "-c", PROBE, json.dumps(wheres)], check=True, capture_output=True, text=True, env=environment)
    seconds: list[float] = json.loads(done.stdout)
    return seconds
