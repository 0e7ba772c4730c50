"""Sparsity and energy: how few cells speak at once, and what an answer and a lesson cost by a model.

Of every hidden population that synapses lead from, in samples of a small task that has been learnt a little, the rate r of each
cell is taken: its value, or for spikes their number in the sample. A population counts as rate-like where no rate is negative.
Three measures, each the mean over samples:

* active fraction, the share of cells with r > 0;
* a = (mean r)^2 / mean r^2 (Treves & Rolls): 1 where all say the same, k / n where k of n cells do and the rest say nothing;
* Hoyer's (sqrt n - sum r / sqrt(sum r^2)) / (sqrt n - 1): 0 and 1 at those ends.

The value is a, averaged over populations; its least is 1 / n, the limit of detection. PASS: at most 0.2. Counts of cells that
were not chosen for their responses are low: a stimulus brings a cell of layer 2/3 to spike with probability 0.2, on average over
a barrel's column (Kerr et al. 2007), and a sound fewer than 5% of cells of auditory cortex to more than 20 spikes a second at any
time (Hromadka et al. 2008); energy may allow fewer than 1% to be very active at once (Lennie 2003). So the threshold is the
generous end, not a constant of nature. Cells that were chosen give far more: single face cells, over 68 pictures, a of 0.65
(Rolls & Tovee 1995). FAIL: more. NA: no hidden population, or only such as take both signs, which no rate does. INCONCLUSIVE:
fewer than five cells, or no cell spoke.

Sizes and times are those that the learner has by default, not those of an audit, one signal at a time; settings that are given
go before. Of a learner whose samples are long, fewer are looked at.

Energy stands beside it and decides nothing: products (MAC), additions (AC) and updates of state, of an answer and of a lesson
apart, as `harness.costs` counts them, and joules by model, no measurement (45 nm: 4.6 pJ a MAC, 0.9 pJ an AC), also with 5 pJ
for reading the weight of each from 8 kB of memory. A spiking net is cheaper than one pass of rates while a synapse passes on
fewer than 4.6 / 0.9 = 5.1 spikes a sample.

Treves, A. & Rolls, E. T. (1991). Network 2, 371-397. doi:10.1088/0954-898X_2_4_004
Hoyer, P. O. (2004). Non-negative matrix factorization with sparseness constraints. JMLR 5, 1457-1469.
Kerr, J. N. D. et al. (2007). J. Neuroscience 27, 13316-13328. doi:10.1523/JNEUROSCI.2210-07.2007
Hromadka, T., DeWeese, M. R. & Zador, A. M. (2008). PLoS Biology 6, e16. doi:10.1371/journal.pbio.0060016
Lennie, P. (2003). The cost of cortical computation. Current Biology 13, 493-497. doi:10.1016/S0960-9822(03)00135-0
Rolls, E. T. & Tovee, M. J. (1995). J. Neurophysiology 73, 713-726. doi:10.1152/jn.1995.73.2.713
Horowitz, M. (2014). ISSCC, 10-14. doi:10.1109/ISSCC.2014.6757323
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness import costs
from harness.audit.evidence import Finding, Witness
from harness.audit.lesson import beginner, clouds
from harness.audit.subject import UnauditableError
from harness.audit.ways import FORWARD, sent

if TYPE_CHECKING:
    from harness.audit.case import Case
    from harness.audit.subject import Subject
    from harness.base import Learner
    from harness.state import Array
    from harness.trace import Event

SPARSE = 0.2
"""Coding level up to which activity counts as sparse."""
LESSONS, ASKED = 200, 20
"""Samples learnt, and samples looked at."""
STEPS = 50_000
"""Steps of a trace over all samples that are looked at, beyond which no further one is."""
FETCH = 5.0
"""pJ to read 32 bits from 8 kB of memory (Horowitz 2014: 10 pJ for 64)."""


def probe(case: Case) -> Finding:
    """The coding level of hidden populations, and what answers and lessons cost."""
    subject, fields = case.subject, case.cls.hypers()
    sizes = {"hidden", *case.cls.audited} & fields.keys() - case.given.keys()
    settings = {name: fields[name].default for name in sorted(sizes)}
    X, Y = clouds(subject.task, LESSONS + ASKED, subject.seed)
    learner = beginner(subject, subject.seed, **settings)
    energy = dict(energy=spent(subject, learner.fork(), X, Y), settings=settings)
    with np.errstate(all="ignore"):
        learner.live(X[:LESSONS], Y[:LESSONS], subject.taught)
    names = speaking(subject)
    if not names:
        return _finding("NA", "there is no hidden population: nothing speaks but what it is given and what it says", energy)
    rates = watch(subject, learner, names, X[LESSONS:])
    like = {p: r for p, r in rates.items() if r.min() >= 0}
    if not like:
        return _finding("NA", f"populations {', '.join(rates)} take both signs, which no rate does", energy)
    found = {p: measures(r) for p, r in like.items() if r.any() and r.shape[1] >= 1 / SPARSE}
    if not found:
        raise UnauditableError(f"in {', '.join(like)} no cell spoke, or they are fewer than {1 / SPARSE:.0f}")
    level = float(np.mean([m["treves_rolls"] for m in found.values()]))
    densest = max(found, key=lambda p: found[p]["treves_rolls"])
    said = (
        f"coding level {level:.2f}: {'at most' if level <= SPARSE else 'above'} {SPARSE}, the generous end of what cortex shows"
    )
    return _finding(
        "PASS" if level <= SPARSE else "FAIL", said, energy | dict(populations=found), level, densest, like[densest].shape[1]
    )


def _finding(
    verdict: Any, reason: str, detail: dict[str, Any], value: float | None = None, densest: str = "", units: int = 0
) -> Finding:
    return Finding(
        criterion="sparsity",
        verdict=verdict,
        value=value,
        reason=reason,
        detail=detail,
        statistic="coding level a = (mean r)^2 / mean r^2 (Treves & Rolls)" if units else "",
        noise_floor=1 / units if units else None,
        threshold=SPARSE if units else None,
        limit_of_detection=1 / units if units else None,
        witness=Witness(population=densest) if units else None,
    )


def speaking(subject: Subject) -> list[str]:
    """Populations that synapses or projections lead from, other than codes of the signal, on which no synapse has influence."""
    senders = dict.fromkeys(
        [s.pre for s in subject.wiring if s.role in FORWARD] + [pre for pre, _ in subject.learner.projections]
    )
    rates = [p for p in senders if p in subject.written and subject.kinds[p] in ("rate", "binary", "spike")]
    moved = subject.run({k: W for s in subject.plastic for k, W in subject.moved(s.array).items()}).events

    def held(events: list[Event], p: str) -> list[Array]:
        return [e.vector for e in sent(events, [p])]

    ends = {s.post for s in subject.wiring} | {post for _, post in subject.learner.projections}

    def same(p: str) -> bool:
        one, other = held(subject.base.events, p), held(moved, p)
        return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))

    return [p for p in rates if p in ends or not same(p)]


def watch(subject: Subject, learner: Learner, names: list[str], X: Array) -> dict[str, Array]:
    """Rates (samples, units): what a cell held last in answer to a signal; of spikes, how many there were."""
    found: dict[str, list[Array]] = {p: [] for p in names}
    steps = 0
    for x in X:
        subject.runs += 1
        with np.errstate(all="ignore"):
            trace = learner.probe(x, trace=True).trace
        events = sent(trace, names)
        for p in names:
            held = [e.vector for e in events if e.name == p]
            if held:
                found[p].append(np.sum(held, axis=0) if subject.kinds[p] == "spike" else held[-1])
        steps += len(trace)
        if steps > STEPS:
            break
    return {p: np.array(rows) for p, rows in found.items() if rows}


def measures(rates: Array) -> dict[str, float]:
    """Active fraction, coding level and Hoyer's measure of rates (samples, units), means over the samples in which any spoke."""
    r = rates[rates.any(axis=1)]
    n = r.shape[1]
    level = r.mean(1) ** 2 / (r**2).mean(1)
    hoyer = (n**0.5 - r.sum(1) / np.sqrt((r**2).sum(1))) / (n**0.5 - 1)
    return dict(active=float((rates > 0).mean()), treves_rolls=float(level.mean()), hoyer=float(hoyer.mean()))


def spent(subject: Subject, learner: Learner, X: Array, Y: Array) -> dict[str, Any]:
    """Operations and joules by model of one answer and of one lesson, learning apart from the answer that comes first."""
    signals = X[:LESSONS, 0] if subject.cls.can.whole else X[:LESSONS]
    counted = costs.count(learner, signals, Y[:LESSONS], subject.taught, LESSONS)
    if counted.mac_infer is None:
        return dict(note="not counted")
    spiking = bool(counted.spikes)
    done = 1 if spiking else LESSONS
    mac, ac = (counted.mac_train or 0) / done, (counted.ac_train or 0) / done
    answer = _joules(counted.mac_infer, counted.ac_infer or 0)
    lesson = _joules(max(mac - counted.mac_infer, 0), max(ac - (counted.ac_infer or 0), 0))
    return dict(
        note="model, not measurement", answer=answer, lesson=lesson, spikes=counted.spikes, state_updates=counted.state_updates
    )


def _joules(mac: float, ac: float) -> dict[str, float]:
    plain = 1e-12 * (costs.PJ_MAC * mac + costs.PJ_AC * ac)
    return dict(mac=mac, ac=ac, joules=plain, joules_with_memory=plain + 1e-12 * FETCH * (mac + ac))
