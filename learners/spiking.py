"""Kernels that spiking learners share: leaky neurons with conductances, Poisson input as events, traces, competing weights.

Time goes in steps of dt. Every function works on plain arrays in place, in their own precision.
"""

import math

import numpy as np

from harness.jit import kernel
from harness.noise import uniform

TINY = 1e-30
"""What has faded below this is nothing: arithmetic on denormal numbers is slow, and some of them never fade."""
SLACK = 1e-4
"""A sum of weights this close to its goal, relatively, has reached it, so that rounding alone never moves a weight."""
CERTAIN = 0.999
"""No input is likelier than this to spike in a step."""


@kernel
def fade(a, keep):
    """One step of an exponential decay: a = keep a, for a >= 0."""
    tiny, zero = a.dtype.type(TINY), a.dtype.type(0)
    for j in range(a.shape[0]):
        value = a[j] * keep
        a[j] = value if value > tiny else zero


@kernel
def leak(v, g, h, age, cell):
    """One step of tau dv/dt = (rest - v) + g (0 - v) + h (E - v), in mV, by the implicit Euler rule, stable for any g and h.

    cell = (dt / tau, rest, E, reset, refractory steps, threshold, silent steps). A neuron stays at its reset for the
    refractory steps after a spike; `age` says how many steps ago that was.
    """
    one = v.dtype.type(1)
    pace, rest, E, reset, refractory = cell[0], cell[1], cell[2], cell[3], cell[4]
    for j in range(v.shape[0]):
        v[j] = (v[j] + pace * (rest + h[j] * E)) / (one + pace * (one + g[j] + h[j]))
    for j in range(v.shape[0]):
        risen = v[j]  # read whatever the age, so that a trace has the same steps whoever rests
        v[j] = reset if age[j] <= refractory else risen


@kernel
def fire(v, raised, age, cell, spikes):
    """Neurons above threshold + raised spike and are reset, but for the silent steps after a spike. Returns how many spiked."""
    one, zero = v.dtype.type(1), v.dtype.type(0)
    reset, bar, silent = cell[3], cell[5], cell[6]
    count = zero
    for j in range(v.shape[0]):
        spikes[j] = one if v[j] > bar + raised[j] and age[j] > silent else zero
    for j in range(v.shape[0]):
        count += spikes[j]
    for j in range(v.shape[0]):
        age[j] = one if spikes[j] > zero else age[j] + one
    if count > zero:
        for j in range(v.shape[0]):
            v[j] = reset if spikes[j] > zero else v[j]
    return count


@kernel
def encode(x, chance, miss):
    """In each step, input k spikes with probability p = chance x, at most 0.999; miss = log(1 - p).

    With twice as many inputs as x is long, the second half take -x; a negative number is silence.
    """
    n = x.shape[0]
    for k in range(miss.shape[0]):
        p = np.float64(chance) * (x[k] if k < n else -x[k - n])
        miss[k] = math.log(1.0 - min(p, CERTAIN)) if p > TINY else 0.0


@kernel
def enter(k, t, miss, head, link, noise, stream):
    """Draw the step after t at which input k spikes next, and put k on the list of that step.

    The wait is geometric, floor(log U / log(1 - p)) steps, so that every step has the same chance p of a spike whatever
    came before. head[t] is the first input on the list of step t, link[k] the one after k, and -1 the end.
    """
    wait = np.float64(math.log(1.0 - uniform(noise, stream))) / miss[k]
    if wait < head.shape[0] - 1 - t:
        at = t + 1 + int(wait)
        link[k] = head[at]
        head[at] = k


@kernel
def schedule(miss, head, link, noise, stream):
    """Empty the lists of all steps, and enter every input that can spike."""
    for t in range(head.shape[0]):
        head[t] = -1
    for k in range(miss.shape[0]):
        if miss[k] < 0:
            enter(k, -1, miss, head, link, noise, stream)


@kernel
def due(t, miss, head, link, fired, noise, stream):
    """List in `fired` the inputs that spike at step t, enter each of them anew, and return how many there are."""
    n = 0
    k = head[t]
    while k >= 0:
        after = link[k]
        fired[n] = k
        n += 1
        enter(k, t, miss, head, link, noise, stream)
        k = after
    return n


@kernel
def mark(a, fired, n, value):
    """Write `value` for each of the n inputs in `fired`."""
    for m in range(n):
        a[fired[m]] = value


@kernel
def touch(trace, spikes):
    """A trace of the last spike alone: 1 where there is a spike."""
    one, zero = trace.dtype.type(1), trace.dtype.type(0)
    for j in range(trace.shape[0]):
        trace[j] = one if spikes[j] > zero else trace[j]


@kernel
def add(a, spikes, strength):
    """What spikes bring one to one: a = a + strength s."""
    for j in range(a.shape[0]):
        a[j] += strength * spikes[j]


@kernel
def inhibit(h, spikes, count, strength):
    """What they bring to all but their own partner: h_j = h_j + strength (count - s_j), where `count` is the sum of s."""
    for j in range(h.shape[0]):
        h[j] += strength * (count - spikes[j])


@kernel
def collect(g, W, fired, n, gain):
    """What n inputs bring through their synapses: g_j = g_j + gain sum of W_jk over the inputs k in `fired`."""
    for j in range(g.shape[0]):
        row = W[j]
        total = g.dtype.type(0)
        for m in range(n):
            total += row[fired[m]]
        g[j] += gain * total


@kernel
def depress(W, trace, fired, n, rate):
    """A spike of input k finds the traces of the neurons: W_jk = max(W_jk - rate trace_j, 0). Returns how many weights it met."""
    zero, changed = W.dtype.type(0), 0
    for j in range(W.shape[0]):
        if trace[j] > zero:
            row = W[j]
            changed += n
            for m in range(n):
                row[fired[m]] = max(row[fired[m]] - rate * trace[j], zero)
    return changed


@kernel
def potentiate(W, spikes, slow, trace, rate):
    """A spike of neuron j finds the traces of its inputs, and one of its own: W_jk = min(W_jk + rate slow_j trace_k, 1)."""
    one, zero = W.dtype.type(1), W.dtype.type(0)
    for j in range(W.shape[0]):
        if spikes[j] > zero:
            row, amount = W[j], rate * slow[j]
            for k in range(row.shape[0]):
                row[k] = min(row[k] + amount * trace[k], one)


@kernel
def normalise(W, goal):
    """Scale each row to the sum `goal`, no weight above 1. Returns how many rows it scaled.

    A row that is cut at 1 stays short of its goal until it is scaled again.
    """
    one, scaled = W.dtype.type(1), 0
    for j in range(W.shape[0]):
        row, total = W[j], W.dtype.type(0)
        for k in range(row.shape[0]):
            total += row[k]
        if total > W.dtype.type(TINY) and abs(total - goal) > W.dtype.type(SLACK) * goal:
            factor = goal / total
            scaled += 1
            for k in range(row.shape[0]):
                row[k] = min(row[k] * factor, one)
    return scaled
