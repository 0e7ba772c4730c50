"""All claims by name, and rows made up for them."""

import pandas as pd

from suites.credit import claims as credit
from suites.images import claims as images
from suites.logic import claims as logic
from suites.separable import claims as separable_claims
from suites.sequence import claims as sequence
from suites.shifted import claims as shifted

SUITES = dict(logic=logic, separable=separable_claims, shifted=shifted, sequence=sequence, images=images, credit=credit)
CLAIMS = {f"{suite}/{claim.id}": claim for suite, module in SUITES.items() for claim in module.CLAIMS}


def rows(*records, **shared):
    """A frame like the store's, with defaults for what a record leaves out."""
    base = dict(
        outcome="ok", reason="", learner="MLP", task="logic/xor", params={}, difficulty={}, replicate=0, score=1.0, chance=0.5,
        ceiling=1.0, n_test=1000, epochs=10.0, extra={},
    )  # fmt: skip
    return pd.DataFrame([base | shared | record for record in records], columns=list(base))


def status(claim, frame):
    return CLAIMS[claim].decide(frame).status
