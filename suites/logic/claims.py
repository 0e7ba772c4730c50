"""What is claimed of Boolean functions: what one layer can do and no more, what two layers can, and how often it is found."""

import numpy as np

from harness.claim import Claim, Needs, Verdict
from harness.learner import Sizes
from harness.trial import Protocol
from suites.evidence import exact_interval, on_rows, setting, share_learnt
from suites.logic.tasks import NAMES, cases, parity

MINSKY_PAPERT = "Minsky and Papert (1969), Perceptrons: XOR is no threshold function"
XOR_XNOR = "logic/xor", "logic/xnor"
ACTIVATIONS = "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "prelu"
WIDTHS = 2, 3, 4, 6, 8, 12, 16
TEXTBOOK = Protocol(name="textbook", epochs=100, order="sequential", validate=False, stop_when_faultless=True)
FULL_BATCH = Protocol(name="full-batch", epochs=2000, order="sequential", validate=False)
"""2,000 steps, each on the whole table."""
LONGER = Protocol(name="full-batch-long", epochs=4000, order="sequential", validate=False)


@on_rows
def the_fourteen(frame):
    """Held if every replicate learns each of the 14, and none gets more than 3/4 on XOR and XNOR."""
    within = ~frame.task.isin(XOR_XNOR)
    worst = frame[within].groupby("task").score.min()
    beyond = float(frame[~within].score.max())
    learnt = int((worst == 1).sum())
    status = "held" if learnt == len(worst) == len(NAMES) - 2 and beyond <= 0.75 else "broken"
    reason = f"{learnt} functions learnt in every replicate; at most {beyond:.2f} on XOR and XNOR"
    return Verdict(status, float(learnt), None, "exactly 14, and at most 3/4 on the other two", reason)


@on_rows
def all_converge(frame):
    """Held if every start leads to a faultless table."""
    learnt, n = int((frame.score == 1).sum()), len(frame)
    status = "held" if learnt == n else "broken"
    reason = f"{learnt} of {n} random starts converged, the slowest after {frame.epochs.max():.0f} epochs"
    return Verdict(status, learnt / n, exact_interval(learnt, n), f"{n} of {n}", reason)


@on_rows
def mapped(frame):
    """Held if a linear hidden layer never passes 3/4, and no other activation does surely worse with 16 units than with 2."""
    frame = frame.assign(activation=setting(frame, "activation"), hidden=setting(frame, "hidden"))
    linear = float(frame[frame.activation == "linear"].score.max())
    curved = frame[frame.activation != "linear"]
    worse = []
    for activation, rows in curved.groupby("activation"):
        wide, narrow = (rows[rows.hidden == h].score == 1 for h in (max(WIDTHS), min(WIDTHS)))
        if exact_interval(int(wide.sum()), len(wide))[1] < exact_interval(int(narrow.sum()), len(narrow))[0]:
            worse.append(activation)
    rates = (curved.score == 1).groupby(curved.hidden).mean()
    status = "held" if linear <= 0.75 and not worse else "broken"
    found = ", ".join(f"{hidden}: {rate:.2f}" for hidden, rate in rates.items())
    reason = f"share of runs that learn XOR, by hidden units: {found}; linear at most {linear:.2f}"
    reason += f"; worse with more units: {', '.join(worse)}" if worse else ""
    return Verdict(status, float(rates.iloc[-1]), None, "linear <= 3/4; 16 units no worse than 2 (exact intervals apart)", reason)


def mcculloch_pitts(cells):
    """The net of the registry, with that many cells to wire."""
    from harness.registry import load

    return load("learners.mcculloch_pitts:McCullochPitts")(cells=cells)


TOGETHER = 16
"""Truth tables that one net is wired for, an output each."""


def wired(n, codes):
    """How many of these truth tables of n inputs, bit i of a code the output in case i, a net does not compute once wired."""
    X = cases(n)[:, None].astype(np.float32)
    tables = codes[None] >> np.arange(2**n)[:, None] & 1
    learner = mcculloch_pitts(len(codes) * 2**n).begin(Sizes(shape=(n,), n_out=len(codes)), dict(init=0, order=0, noise=0))
    learner.live(X, tables[:, None].astype(np.float32))
    return int(((learner.live(X)[:, 0] > learner.cut) != tables).any(0).sum())


def complete(_):
    """Held if a net of threshold cells, wired case by case, computes every truth table of 1 to 4 inputs."""
    wrong, n_tables = 0, 0
    for n in (1, 2, 3, 4):
        codes = np.arange(2**2**n)
        wrong += sum(wired(n, codes[at : at + TOGETHER]) for at in range(0, len(codes), TOGETHER))
        n_tables += len(codes)
    status = "broken" if wrong else "held"
    return Verdict(
        status, float(n_tables - wrong), None, f"{n_tables} truth tables", f"{wrong} of {n_tables} truth tables missed"
    )


def threshold_parity(X):
    """Parity by n threshold units h_k = [sum x >= k], k = 1 .. n, and one that adds them with signs +1, -1, +1, ..."""
    n = X.shape[1]
    k = np.arange(1, n + 1)
    h = X.sum(1)[:, None] >= k
    return h @ (-1.0) ** (k + 1) >= 0.5


def parity_constructed(_):
    """Held if the construction with n hidden units gives the truth table of n-bit parity for n = 2 to 8."""
    wrong = 0
    for n in range(2, 9):
        table = parity(0, 0, 0, None, n=n).train
        wrong += int((threshold_parity(table.X[:, 0]) != table.y).sum())
    status = "broken" if wrong else "held"
    return Verdict(status, float(wrong), None, "0 wrong cases", f"{wrong} of 508 cases wrong, n = 2 to 8")


@on_rows
def parity_found(frame):
    """Held if for each n some run finds a faultless network; the figure is the smallest share over n of runs that do."""
    learnt = (frame.score == 1).groupby(frame.difficulty.str["n"])
    shares, runs = learnt.mean(), learnt.size()
    hardest = shares.idxmin()
    interval = exact_interval(int(learnt.sum()[hardest]), int(runs[hardest]))
    status = "held" if shares.min() > 0 else "broken"
    reason = "share of runs that learn n-bit parity with n hidden units: "
    reason += ", ".join(f"{n}: {share:.2f}" for n, share in shares.items())
    return Verdict(status, float(shares.min()), interval, "at least one run for each n", reason)


CLAIMS = (
    Claim(
        id="perceptron-learns-the-14",
        text="Of the 16 functions of two inputs the perceptron learns exactly the 14 that a line separates, and never gets more"
        " than three of the four cases of XOR and XNOR right.",
        source=MINSKY_PAPERT,
        needs=[Needs("Perceptron", f"logic/{name}", 3) for name in NAMES],
        decide=the_fourteen,
    ),
    Claim(
        id="textbook-and",
        text="The textbook's perceptron (random start in [0, 1), rate 0.1, step at 0) learns AND within 100 epochs from any of"
        " 1,000 starts.",
        source="Rosenblatt (1958), doi:10.1037/h0042519; the convergence theorem bounds the epochs",
        needs=[
            Needs(
                "Perceptron[fires_at_zero=true,rate=0.1,start=random]",
                "logic/and",
                1000,
                protocol=TEXTBOOK,
            )
        ],
        decide=all_converge,
        since="quick",
    ),
    Claim(
        id="mlp-xor-200",
        text="A network of 2-8-1 units (tanh, gradient descent at rate 0.5, 2,000 full-batch steps) learns XOR from at least 95 %"
        " of random starts.",
        source="Rumelhart, Hinton and Williams (1986), doi:10.1038/323533a0",
        needs=[
            Needs(
                "MLP[activation=tanh,block=4,hidden=8,optimiser=sgd,rate=0.5]",
                "logic/xor",
                200,
                protocol=FULL_BATCH,
            )
        ],
        decide=share_learnt(0.95),
        since="quick",
    ),
    Claim(
        id="xor-map",
        text="Over 2 to 16 hidden units and every activation: a linear hidden layer never gets more than three cases of XOR"
        " right, and no other activation learns it less often with 16 units than with 2.",
        source="Minsky and Papert (1969) for linear layers, which are one linear unit; the rest is a map, no theorem",
        needs=[
            Needs(
                f"MLP[activation={activation},block=4,hidden={hidden},optimiser=sgd,rate=0.5]",
                "logic/xor",
                20,
                protocol=FULL_BATCH,
            )
            for activation in ACTIVATIONS
            for hidden in WIDTHS
        ],
        decide=mapped,
        since="full",
    ),
    Claim(
        id="mcculloch-pitts-complete",
        text="Two layers of McCulloch and Pitts's cells compute every truth table of up to four inputs.",
        source="McCulloch and Pitts (1943), doi:10.1007/BF02478259; the disjunctive normal form",
        decide=complete,
    ),
    Claim(
        id="parity-constructed",
        text="n threshold units in one hidden layer compute n-bit parity, for n = 2 to 8.",
        source="Minsky and Papert (1969); construction h_k = [sum x >= k]",
        decide=parity_constructed,
    ),
    Claim(
        id="parity-n-hidden",
        text="Backprop finds n-bit parity with n hidden units in some of twenty runs, for n = 2 to 5, at settings that were"
        " searched for it.",
        source="Rumelhart, Hinton and Williams (1986), Parallel Distributed Processing, chapter 8",
        needs=[
            Needs(
                f"MLP[activation=tanh,block={2**n},hidden={n},loss=squared,optimiser=sgd,rate=1]",
                "logic/parity",
                20,
                {"n": n},
                protocol=LONGER,
            )
            for n in (2, 3, 4, 5)
        ],
        decide=parity_found,
        since="quick",
    ),
)
