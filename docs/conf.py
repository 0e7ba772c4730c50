"""How the documentation is built: `python -m sphinx -W --keep-going docs docs/_build`. Every page runs while it is built."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])

project = "hebbench"
extensions = ["myst_parser", "executed"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "hebbench"
html_show_copyright = False
html_copy_source = False
myst_enable_extensions = ["deflist"]
