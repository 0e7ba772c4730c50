"""All checks of the project, one after the other: `python tests/everything.py`. The first that fails ends it."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"


def main() -> int:
    """Run them; return the exit code of the first that fails."""
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        suites = [python, "-m", "pytest", "suites", "--hebbench-store", str(Path(folder) / "suites.db")]
        steps = {
            "lint": [python, "-m", "ruff", "check", "."],
            "format": [python, "-m", "ruff", "format", "--check", "."],
            "types": [python, "-m", "mypy"],
            "tests": [python, "-m", "pytest", "tests", "-n", "2", "--dist", "loadfile", "--benchmark-disable"],
            "docs": [python, "-m", "sphinx", "-W", "--keep-going", "-q", "docs", str(Path(folder) / "docs")],
            "suites": [*suites, "--hebbench-report", str(Path(folder) / "report.html")],
        }
        for name, command in steps.items():
            print(f"== {name}", flush=True)
            start = time.monotonic()
            code = subprocess.run(command, cwd=ROOT, env=os.environ | dict.fromkeys(THREADS, "1"), check=False).returncode
            print(f"== {name}: {'failed' if code else 'passed'} after {time.monotonic() - start:.0f} s", flush=True)
            if code:
                return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
