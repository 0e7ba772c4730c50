"""The tests of a suite: one for each of its claims."""

import pytest


def each(suite, claims):
    """A test function over the claims of a suite, with ids `suite/claim`."""

    @pytest.mark.parametrize("claim", claims, ids=[f"{suite}/{claim.id}" for claim in claims])
    def test_claim(claim, hebbench_verdict):
        """A broken claim fails with its figure; an undecided one is skipped with what it lacks."""
        verdict = hebbench_verdict(claim)
        if verdict.status == "undecided":
            pytest.skip(verdict.reason)
        seen = f"{verdict.figure} {verdict.interval or ''} held against {verdict.threshold}: {verdict.reason}"
        assert verdict.status == "held", seen

    return test_claim
