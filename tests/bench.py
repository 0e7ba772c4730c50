"""What tests of the command line share: hebbench in a process of its own or in this one, and plug-ins to give it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

import harness
from harness.cli import main

ROOT = Path(harness.__file__).parents[1]

RULE = '''"""A rule that tests write down."""
import numpy as np
from harness.learner import Classifier, Synapse, hyper
{imports}


def init(task, rng):
    """Zero weights."""
    {body}
    return dict(W=np.zeros((task.n_out, task.shape[0])))


def respond(signal, out, W):
    """y = W x."""
    for k in range(W.shape[0]):
        out[0, k] = 0
        for j in range(W.shape[1]):
            out[0, k] += W[k, j] * signal[0, j]


def learn(target, signal, W, rate):
    """W += rate target x."""
    for k in range(W.shape[0]):
        for j in range(W.shape[1]):
            W[k, j] += {step} * target[0, k] * signal[0, j]


class {name}(Classifier):
    """Does {name}."""

    rate: float = hyper(default=0.5, doc="step", low=1e-6, high=1e3, log=True, unit="1")
    synapses = (Synapse("W", "x", "y"),)
    init, respond, learn = init, respond, learn
'''


def rule(name, *, body="pass", step="rate", imports=""):
    """The text of a plug-in with one learner."""
    return RULE.format(name=name, body=body, step=step, imports=imports)


def environment(*places):
    """This environment, with the project and these folders on the path."""
    return os.environ | {"PYTHONPATH": os.pathsep.join([*map(str, places), str(ROOT)])}


def bench(*words, cwd, env=None, timeout=120):
    """One command in a process of its own."""
    command = [sys.executable, "-m", "harness", *map(str, words)]
    return subprocess.run(
        command, cwd=cwd, env=env or environment(), capture_output=True, text=True, timeout=timeout, check=False
    )


def cli(*words, code=0):
    """One command in this process, which has to end with `code`, and never with a traceback."""
    result = CliRunner().invoke(main, list(map(str, words)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert result.exit_code == code, result.output
    return result


def rows(store, *words):
    """The rows of a store, as its JSON export gives them."""
    found = json.loads(cli("export", "--store", store, "--format", "json", *words).stdout)
    assert list(found) == ["schema", "rows"]
    return found["rows"]


def install(site, distribution, files, learners="", tasks=""):
    """Lay out a distribution as an installer would: its files, and its metadata beside them."""
    for name, text in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    info = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
    groups = dict(learners=learners, tasks=tasks)
    text = "\n".join(f"[hebbench.{group}]\nx = {value}" for group, value in groups.items() if value)
    info.joinpath("entry_points.txt").write_text(text)
