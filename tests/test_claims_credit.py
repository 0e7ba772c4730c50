"""Every `decide` of the suite credit on rows made up for it."""

import numpy as np
import pytest

from suites.credit import claims as credit
from tests.claim_rows import CLAIMS, rows, status


def ten(mean, spread=0.002, **record):
    """Ten replicates about a mean, the same noise for every learner."""
    noise = np.array([-2, -1, -1, 0, 0, 0, 0, 1, 1, 2])
    return [dict(replicate=r, score=mean + spread * x) | record for r, x in enumerate(noise)]


def uneven(mean, spread=0.002, **record):
    """The same, but for noise of another kind: differences vary as well."""
    return [
        dict(one, score=mean + spread * x) for one, x in zip(ten(mean, **record), [1, -2, 0, 2, -1, 1, 0, -1, 0, 0], strict=True)
    ]


@pytest.mark.parametrize(("_", "word", "__", "depth", "low", "high", "probe"), credit.BANDS)
def test_bands_of_the_fixed_settings(_, word, __, depth, low, high, probe):
    claim = f"credit/{word}-{depth}x100"
    assert low <= probe / 100 <= high
    assert CLAIMS[claim].decide(rows(*ten(probe / 100))).figure == pytest.approx(probe / 100)
    assert status(claim, rows(*ten(probe / 100))) == "held"
    assert status(claim, rows(*ten(low - 0.005))) == status(claim, rows(*ten(high + 0.005))) == "broken"
    assert status(claim, rows(*ten(probe / 100)[:5], *[dict(outcome="diverged", score=None)] * 5)) == "broken"
    assert status(claim, rows()) == "undecided"
    assert str(probe) in CLAIMS[claim].published


@pytest.mark.parametrize(
    ("claim", "inside", "outside"),
    [
        ("predictive-coding-2x100", 0.633, 0.6),
        ("predictive-coding-4x100", 0.671, 0.64),
        ("predictive-coding-large-steps", 0.41, 0.51),
        ("forward-forward-digits", 0.90, 0.894),
    ],
)
def test_bars_of_the_mean(claim, inside, outside):
    assert status(f"credit/{claim}", rows(*ten(inside))) == "held"
    assert status(f"credit/{claim}", rows(*ten(outside))) == "broken"


def by_depth(learner, **means):
    """Scores by hidden layers, `d6=0.4`; two is the default and does not stand in `params`."""
    shallow = ten(means.pop("d2"), learner=learner)
    ((depth, mean),) = means.items()
    return rows(*shallow, *uneven(mean, learner=learner, params=dict(depth=int(depth[1:]))))


GAINS, LOSES, KEEPS = "backprop-gains", "feedback-alignment-loses", "direct-feedback-alignment-keeps"


@pytest.mark.parametrize(
    ("claim", "learner", "deep", "cases"),
    [
        (GAINS, "Backprop", "d4", dict(held=0.683, undecided=0.6615, broken=0.65)),
        (LOSES, "FeedbackAlignment", "d6", dict(held=0.55, undecided=0.5805, broken=0.60)),
        (KEEPS, "DirectFeedbackAlignment", "d6", dict(held=0.63, undecided=0.6110, broken=0.60)),
    ],
)  # fmt: skip
def test_what_depth_does_is_told_by_pairs_of_seeds(claim, learner, deep, cases):
    claim = f"credit/{claim}-with-depth"
    for said, mean in cases.items():
        verdict = CLAIMS[claim].decide(by_depth(learner, d2=0.64, **{deep: mean}))
        assert verdict.status == said
        assert verdict.figure == pytest.approx(0.64 - mean if "loses" in claim else mean - 0.64)
        assert verdict.interval[0] < verdict.figure < verdict.interval[1]
    assert status(claim, rows()) == "undecided"


def test_direct_feedback_must_not_gain_either():
    claim = "credit/direct-feedback-alignment-keeps-with-depth"
    assert status(claim, by_depth("DirectFeedbackAlignment", d2=0.55, d6=0.59)) == "broken"


def test_sigmoid_needs_ten_times_the_samples():
    def frame(relu, sigmoid):
        kinds = dict(relu=ten(relu, epochs=6.0), sigmoid=uneven(sigmoid, epochs=60.0))
        return rows(
            *(
                one | dict(learner="Backprop", params=dict(activation=kind, depth=6))
                for kind, all_ in kinds.items()
                for one in all_
            )
        )

    claim = "credit/sigmoid-needs-ten-times-the-samples"
    assert status(claim, frame(0.5, 0.44)) == "held"
    assert status(claim, frame(0.44, 0.5)) == "broken"
    assert status(claim, frame(0.44, 0.4401)) == "undecided"
    assert status(claim, rows()) == "undecided"
    assert "6 epochs, sigmoid 0.4400 after 60" in CLAIMS[claim].decide(frame(0.5, 0.44)).reason


def of_digits(**means):
    every = dict.fromkeys(credit.ALIKE, 0.93) | means
    return rows(*(one for i, (name, mean) in enumerate(every.items()) for one in (ten, uneven)[i % 2](mean, learner=name)))


@pytest.mark.parametrize(
    ("mean", "said"), [(0.93, "held"), (0.911, "undecided"), (0.90, "broken"), (0.945, "held"), (0.96, "broken")]
)
def test_digits_do_not_discriminate(mean, said):
    verdict = CLAIMS["credit/digits-do-not-discriminate"].decide(of_digits(FeedbackAlignment=mean))
    assert verdict.status == said
    assert abs(verdict.figure) == pytest.approx(abs(mean - 0.93), abs=1e-12)
    assert ("not discriminating" in verdict.reason) == (said == "held")
    assert mean == 0.93 or "FeedbackAlignment" in verdict.reason.partition("furthest apart")[2]
    assert status("credit/digits-do-not-discriminate", rows()) == "undecided"


def test_each_gets_91_of_100_digits():
    assert status("credit/digits-91", of_digits()) == "held"
    verdict = CLAIMS["credit/digits-91"].decide(of_digits(PredictiveCoding=0.905))
    assert (verdict.status, verdict.figure) == ("broken", pytest.approx(0.905))


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5], [4, 0, 1, 2, 3, 5], [2, 1, 0, 5, 4, 3]])
def test_chance_agreement_is_the_exact_one_sided_probability(order):
    from scipy.stats import kendalltau

    theirs = np.arange(6.0)
    tau = credit.kendall(np.array(order, float), theirs)
    exact = kendalltau(order, theirs, method="exact", alternative="greater").pvalue
    assert credit.by_chance(float(tau), theirs) == pytest.approx(exact)


def test_kendalls_tau_is_scipys():
    from scipy.stats import kendalltau

    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 5, (50, 6)).astype(float), rng.integers(0, 5, 6).astype(float)
    assert credit.kendall(x, y) == pytest.approx([kendalltau(row, y).statistic for row in x])
    assert credit.kendall(np.ones((2, 6)), y).tolist() == [0, 0]


@pytest.mark.parametrize("claim", ["credit/published-order-mnist1d", "credit/published-order-digits"])
def test_the_published_order(claim):
    errors = {name: error for name, (error, _) in credit.PUBLISHED.items()}

    def frame(errors, spread=0.001):
        return rows(*(one for name, e in errors.items() for one in uneven(1 - e / 10, spread, learner=credit.PUBLISHED[name][1])))

    few = CLAIMS[claim].decide(frame({name: errors[name] for name in ("BP", "FA", "DFA")}))
    assert (few.status, few.figure, few.interval) == ("undecided", 1, (1, 1))
    assert all(name in few.reason.partition("left out")[2] for name in ("DTP", "AO-SDTP", "SDTP"))
    assert status(claim, frame(errors)) == "held"
    assert CLAIMS[claim].decide(frame(errors)).figure == 1
    halfway = dict(zip(errors, [1.48, 2.75, 1.83, 2.28, 1.85, 1.86], strict=True))
    weak = CLAIMS[claim].decide(frame(halfway))
    assert weak.interval[0] > 0
    assert weak.status == "undecided", "an agreement that chance gives as well"
    assert "left out" not in CLAIMS[claim].decide(frame(errors)).reason
    assert status(claim, frame({name: 5 - error for name, error in errors.items()})) == "broken"
    assert status(claim, rows()) == "undecided"
    noise = np.random.default_rng(1)
    same = rows(
        *(
            dict(replicate=r, score=0.9 + 0.01 * noise.standard_normal(), learner=name)
            for _, name in credit.PUBLISHED.values()
            for r in range(10)
        )
    )
    verdict = CLAIMS[claim].decide(same)
    assert verdict.status == "undecided"
    assert verdict.interval[0] < verdict.figure < verdict.interval[1]
