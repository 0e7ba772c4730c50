"""What is claimed of the spiking network of Diehl and Cook on real digits."""

from harness.claim import Claim, Needs, Verdict
from harness.trial import Protocol
from suites.evidence import correct, exact_interval, mean_between, on_rows

DIEHL_COOK = "Diehl and Cook (2015), doi:10.3389/fncom.2015.00099"


@on_rows
def above_chance(frame):
    """Held if the exact lower bound lies above chance, broken if the upper bound does not."""
    hits, n = correct(frame)
    low, high = exact_interval(hits, n)
    chance = float(frame.chance.astype(float).max())
    status = "held" if low > chance else "broken" if high <= chance else "undecided"
    return Verdict(status, hits / n, (low, high), f"exact 95 % lower bound > chance, {chance:.3f}", f"{hits} of {n} right")


CLAIMS = (
    Claim(
        id="diehl-cook-digits-above-chance",
        text="The spiking network of Diehl and Cook, which is told no label while it learns, tells real digits apart.",
        source=DIEHL_COOK,
        needs=[Needs("DiehlCook", "images/digits", 1)],
        decide=above_chance,
    ),
    Claim(
        id="diehl-cook-mnist",
        text="With 100 neurons and one pass over 4,000 MNIST images it gets at least 74 % of 1,000 others right.",
        source=DIEHL_COOK,
        needs=[Needs("DiehlCook", "images/mnist", 3, protocol=Protocol(name="one-pass", epochs=1, validate=False))],
        decide=mean_between(0.74),
        since="full",
        published="82.9 % after one pass over 60,000 images, in the paper",
    ),
)
