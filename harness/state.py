"""How a learner's arrays are laid out in memory.

`init` returns named arrays, or tuples of arrays, one a layer. A tuple becomes one flat vector to the kernels, layer after
layer, so that depth is no part of any compiled type; to the reader and the auditor its pieces are `W[0]`, `W[1]`, ...
Weights `W` that have a raw change `dW` beside them are laid into one vector `theta`, and their changes into `grad`, so
that an optimiser is one kernel over two vectors whatever the architecture.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
State = dict[str, Any]

LINE = 64  # bytes: each longer buffer begins on a cache line
BUFFERS = "theta", "grad"


def pieces(state: State) -> dict[str, Array]:
    """Every array by a name of its own: `x`, `W[0]`, `W[1]`, ..."""
    named: dict[str, Array] = {}
    for stem, value in state.items():
        if isinstance(value, tuple):
            named |= {f"{stem}[{layer}]": np.asarray(array) for layer, array in enumerate(value)}
        else:
            named[stem] = np.asarray(value)
    return named


def stem(name: str) -> str:
    """The name that kernels use for a piece: `W` for `W[1]`."""
    return name.partition("[")[0]


def aligned(size: int, dtype: Any) -> Array:
    """A zeroed vector that begins on a cache line, unless it fits into a few."""
    item = np.dtype(dtype).itemsize
    if size * item <= 4 * LINE:
        return np.zeros(size, dtype)
    raw = np.zeros(size + LINE // item, dtype)
    skip = -raw.__array_interface__["data"][0] % LINE // item
    return raw[skip : skip + size]


class Layout:
    """A learner's state: `arrays` as its kernels see them, `pieces` as everyone else does. Both are views of one memory."""

    def __init__(self, named: dict[str, Array], dtype: Any, weights: frozenset[str] = frozenset()) -> None:
        """Copy the named arrays into one layout, floats as `dtype`, other kinds as they are; `weights` are stems of synapses."""
        self.arrays: dict[str, Array] = {}
        self.pieces: dict[str, Array] = {}
        stems: dict[str, list[str]] = {}
        for name in named:
            stems.setdefault(stem(name), []).append(name)
        self.taught = [s for s in stems if s in weights and "d" + s in stems]
        if self.taught and (taken := [b for b in BUFFERS if b in stems]):
            change = f"{self.taught[0]}, d{self.taught[0]}"
            raise ValueError(f"{taken[0]!r} names the buffer of all weights where there are raw changes ({change}); rename it.")
        raw = ["d" + s for s in self.taught]
        groups = [*zip(BUFFERS, (self.taught, raw), strict=True)] if self.taught else []
        groups += [("", [s]) for s in stems if s not in self.taught and s not in raw]
        for buffer, group in groups:
            names = [name for s in group for name in stems[s]]
            kind = named[names[0]].dtype
            flat = aligned(sum(named[name].size for name in names), dtype if kind.kind == "f" else kind)
            if buffer:
                self.arrays[buffer] = flat
            at = 0
            for s in group:
                start = at
                for name in stems[s]:
                    part = named[name]
                    view = flat[at : at + part.size].reshape(part.shape)
                    view[...] = part
                    self.pieces[name] = view
                    at += part.size
                self.arrays[s] = flat[start:at] if "[" in stems[s][0] else self.pieces[s]

    def __getitem__(self, name: str) -> Array:
        """One array by its own name or by that of its stem."""
        return self.pieces[name] if name in self.pieces else self.arrays[name]

    def __contains__(self, name: str) -> bool:
        return name in self.pieces or name in self.arrays

    def copy(self) -> dict[str, Array]:
        """Every piece, copied."""
        return {name: array.copy() for name, array in self.pieces.items()}

    def write(self, named: dict[str, Array]) -> None:
        """Put values back in place; shapes must agree."""
        for name, array in named.items():
            self.pieces[name][...] = array

    @property
    def nbytes(self) -> int:
        """Bytes of all that is remembered."""
        return sum(array.nbytes for array in self.pieces.values())


def finite(array: Array) -> bool:
    """Whether no entry is NaN or infinite. The sum of squares is quick and lets nothing through."""
    if array.dtype.kind != "f":
        return True
    flat = array.ravel()
    return math.isfinite(float(np.dot(flat, flat))) or bool(np.isfinite(flat).all())
