"""What all tests share: one thread, one cache of machine code, one profile of hypothesis."""

import os
import tempfile
from pathlib import Path

for _name in "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS":
    os.environ[_name] = "1"  # read once, when NumPy and numba are imported: hence before anything else here
os.environ.setdefault("HEBBENCH_CACHE", str(Path(tempfile.gettempdir()) / f"hebbench-tests-{os.getuid()}"))

from hypothesis import settings  # noqa: E402

settings.register_profile("hebbench", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)
settings.load_profile("hebbench")
