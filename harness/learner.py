"""All that a learner needs: `from harness.learner import Learner, Classifier, Regressor, Synapse, hyper, Can`.

See `harness.base` for the contract, `learners/perceptron.py` for the smallest complete example.
"""

from harness.base import Learner, Probe
from harness.declare import Can, Population, RefusedError, Sizes, Synapse, hyper
from harness.estimator import Classifier, Regressor
from harness.jit import kernel
from harness.trace import Script

__all__ = [
    "Can", "Classifier", "Learner", "Population", "Probe", "RefusedError", "Regressor", "Script", "Sizes", "Synapse", "hyper",
    "kernel",
]  # fmt: skip
