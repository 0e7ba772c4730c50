"""The harness's loop: epochs, blocks, ticks. Written once; `harness.jit.bound` gives each learner a copy of its own.

Order, blocks, early stopping and counting belong to the harness, so they are here and not in a learner. Signals are kept
one tick a row: tick t of sequence r of T ticks is row r T + t.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from harness.jit import kernel, lean

HEARS = False
"""Whether `learn` names the signal; bound with it. The other branch is then not even compiled."""
LONE = False
"""Whether a sequence is one tick and the answer one number; bound with it. To know that makes small rules twice as fast."""


def respond(signal, out):
    """What a block does at one tick; bound to the learner's."""


def learn(target, signal):
    """Plasticity at a taught tick; bound to the learner's."""


def rest(taught):
    """Between sequences; the learner's, or nothing."""


def adapt():
    """The optimiser, once a taught block; the learner's, or nothing."""


@kernel
def gather(source, rows, T, t, block):
    """block[i] = source[rows[i] T + t], for source (n T, D) and block (B, D)."""
    for i in range(rows.shape[0]):
        r = rows[i] * T + t
        for j in range(block.shape[1]):
            block[i, j] = source[r, j]


@kernel
def scatter(block, rows, T, t, sink):
    """sink[rows[i] T + t] = block[i]."""
    for i in range(rows.shape[0]):
        r = rows[i] * T + t
        for j in range(block.shape[1]):
            sink[r, j] = block[i, j]


@kernel
def missed(out, target, cut):
    """Whether `out` (K,) names another class than `target` does. A lone output names the second if above `cut`."""
    if out.shape[0] == 1:
        return (out[0] > cut) != (target[0] > 0.5)
    best, true = 0, 0
    for k in range(1, out.shape[0]):
        if out[k] > out[best]:
            best = k
        if target[k] > target[true]:
            true = k
    return best != true


@lean
def online(X, Y, teach, taught, orders, stop, cut, out, wrong, r, l, z, d):
    """Live through `orders` (E, m), rows of X in the order in which they come, one signal at a time; return the epochs lived.

    X (n T, 1, *shape), Y (n T, 1, K)   signals and targets, one tick a row: X[i] is a block of one, and costs no slice
    teach (T,), taught    the ticks at which the target is told, and whether there are any
    stop                  an epoch without a miss is the last; `wrong` (E,) then counts the misses
    out (n T, 1, K)       takes the responses, in place
    r l z d               what respond, learn, rest and adapt name, after what the loop gives them
    """
    T = teach.shape[0]
    if LONE and (T != 1 or Y.shape[2] != 1 or out.shape[2] != 1):
        return 0  # it never is: so the compiler learns that loops over ticks and units run once, and leaves them out
    for e in range(orders.shape[0]):
        lost = 0
        for s in range(orders.shape[1]):
            first = orders[e, s] * T
            for t in range(T):
                i = first + t
                signal, answer = X[i], out[i]
                respond(signal, answer, *r)
                if taught and teach[t]:
                    target = Y[i]
                    if stop:
                        lost += missed(answer[0], target[0], cut)
                    if HEARS:
                        learn(target, signal, *l)
                    else:
                        learn(target, *l)
            rest(taught, *z)
            if taught:
                adapt(*d)
        wrong[e] = lost
        if stop and lost == 0:
            return e + 1
    return orders.shape[0]


@lean
def blockwise(X, Y, teach, taught, orders, stop, cut, out, wrong, blocks, r, l, z, d):
    """As `online`, for blocks of B signals: X is (n T, D), Y and out are (n T, K); blocks are always contiguous.

    blocks = signal (B, *shape), its flat view (B, D), answer (B, K), target (B, K). The last block may be short.
    """
    signal, flat, answer, target = blocks
    T = teach.shape[0]
    B, m = signal.shape[0], orders.shape[1]
    for e in range(orders.shape[0]):
        lost = 0
        for s in range(0, m, B):
            rows = orders[e, s : min(s + B, m)]
            n = rows.shape[0]
            for t in range(T):
                gather(X, rows, T, t, flat)
                respond(signal[:n], answer[:n], *r)
                if out.shape[0] > 0:
                    scatter(answer, rows, T, t, out)
                if taught and teach[t]:
                    gather(Y, rows, T, t, target)
                    if stop:
                        for i in range(n):
                            lost += missed(answer[i], target[i], cut)
                    if HEARS:
                        learn(target[:n], signal[:n], *l)
                    else:
                        learn(target[:n], *l)
            rest(taught, *z)
            if taught:
                adapt(*d)
        wrong[e] = lost
        if stop and lost == 0:
            return e + 1
    return orders.shape[0]
