"""The claims of the suite images: a test each."""

import pytest

from suites.images.claims import CLAIMS


@pytest.mark.parametrize("claim", CLAIMS, ids=[f"images/{claim.id}" for claim in CLAIMS])
def test_claim(claim, hebbench_verdict):
    """A broken claim fails with its figure; an undecided one is skipped with what it lacks."""
    verdict = hebbench_verdict(claim)
    seen = f"{verdict.figure} {verdict.interval or ''} held against {verdict.threshold}: {verdict.reason}"
    if verdict.status == "undecided":
        pytest.skip(verdict.reason)
    assert verdict.status == "held", seen
