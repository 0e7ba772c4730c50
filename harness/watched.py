"""Arrays that tell a tracer when they are written or read. Of the Python form of a kernel they decide how long it takes.

So what happens at every element comes first here, and only what can end a step is told: writes to populations and weights,
and reads of populations. All else is a plain array.
"""

from __future__ import annotations

import operator
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from harness.state import Array
    from harness.trace import Tracer

_plain_get, _plain_set = np.ndarray.__getitem__, np.ndarray.__setitem__


class Piece:
    """One watched array: its place in memory, and which of its elements the present step has written."""

    def __init__(self, name: str, kind: str, array: Array) -> None:
        self.name, self.kind, self.array = name, kind, array
        self.weights, self.key = kind in ("change", "applied"), name + kind
        self.start, self.itemsize = address_of(array), array.itemsize
        self.stop = self.start + array.nbytes
        self.written = bytearray(array.size)
        self.before = array

    def mark(self, address: int, count: int) -> None:
        """So many elements from an address on are written, or all that there are from there on."""
        first = (address - self.start) // self.itemsize
        if count == 1:
            self.written[first] = 1
        else:
            stop = min(first + count, len(self.written))
            self.written[first:stop] = b"\1" * (stop - first)

    def holds(self, address: int) -> bool:
        """Whether the present step has written the element at an address."""
        return self.start <= address < self.stop and bool(self.written[(address - self.start) // self.itemsize])


class Watched(np.ndarray):
    """An array that tells of its writes. Its views do too."""

    tracer: Tracer | None
    start: int | None = None
    """Where in memory its first element is, once that was asked for; all lie from `low` to `high`, `step` apart if in a row."""
    low: int
    high: int
    step: int | None

    def __array_finalize__(self, parent: object) -> None:
        self.tracer = getattr(parent, "tracer", None)

    def __setitem__(self, index: Any, value: Any) -> None:
        tracer = self.tracer
        if tracer is not None:
            start = self.locate() if self.start is None else self.start
            if self.step is not None and type(index) is int and index >= 0:  # most are
                address, one = start + index * self.step, True
            else:
                address, one = self.address(index)
            piece, noted = tracer.active, tracer.noted
            if piece is not None and one and piece.start <= address < piece.stop:
                piece.written[(address - piece.start) // piece.itemsize] = 1
            elif noted is None or not noted.start <= address < noted.stop:
                tracer.write(address, 1 if one else self.size)
        _plain_set(self, index, value)

    def __array_function__(self, function: Any, types: Any, arguments: Any, keywords: Any) -> Any:
        """`np.dot(A, B, out)` reads A and B and writes out."""
        *inputs, out = arguments
        for array in inputs:
            if isinstance(array, Watched) and array.tracer is not None:
                array.tracer.read(array.address(())[0])
        if isinstance(out, Watched) and out.tracer is not None:
            out.tracer.write(out.address(())[0], out.size)
        return function(*(a.view(np.ndarray) if isinstance(a, Watched) else a for a in arguments), **keywords)

    def locate(self) -> int:
        """Look up where in memory it lies."""
        self.start, strides = address_of(self), self.strides
        if len(strides) == 1 and strides[0] > 0:
            self.step = strides[0]
            self.low, self.high = self.start, self.start + self.shape[0] * self.step
        else:
            span = sum((n - 1) * step for n, step in zip(self.shape, strides, strict=True))
            forwards = min(strides, default=0) >= 0
            self.low, self.high = (self.start, self.start + span + self.itemsize) if forwards else (0, sys.maxsize)
            self.step = None
        return self.start

    def address(self, index: Any) -> tuple[int, bool]:
        """Where in memory the indexed part begins, and whether it is a single element."""
        start, shape, strides = self.locate() if self.start is None else self.start, self.shape, self.strides
        try:
            steps = [operator.index(i) for i in index] if type(index) is tuple else [operator.index(index)]
        except TypeError:  # a slice, or a mask
            return address_of(_plain_get(self.view(np.ndarray), index)), False
        for axis, i in enumerate(steps):
            start += (i if i >= 0 else i + shape[axis]) * strides[axis]
        return start, len(steps) == len(strides)


class Heard(Watched):
    """An array that tells of its reads as well."""

    def __getitem__(self, index: Any) -> Any:
        value = _plain_get(self, index)
        if self.tracer is None:
            return value
        piece = self.tracer.active
        if piece is None or isinstance(value, np.ndarray):
            return value
        start = self.locate() if self.start is None else self.start
        if piece.start >= self.high or piece.stop <= self.low:
            return value
        if self.step is not None and type(index) is int and index >= 0:
            address = start + index * self.step
        else:
            address = self.address(index)[0]
        if piece.start <= address < piece.stop and piece.written[(address - piece.start) // piece.itemsize]:
            self.tracer.close()
            value = _plain_get(self, index)  # a script may have acted on it
        return value


def address_of(array: Array) -> int:
    """Where in memory an array begins."""
    return int(array.__array_interface__["data"][0])
