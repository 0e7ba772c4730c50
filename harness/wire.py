"""What a driver and its workers say to each other: a magic word, a length, and JSON. Never pickle."""

from __future__ import annotations

import struct
from typing import Any, Literal

import msgspec
import numpy as np

from harness.trial import Result, Trial

MAGIC = 0x68656262
HEADER = struct.Struct(">IQ")
LIMIT = 64 << 20
"""Bytes of the longest frame that is taken."""

ANSWERS = frozenset({"ok", "diverged", "not_applicable", "error", "crashed", "out_of_memory"})
"""Outcomes that a worker may give; the others are the driver's to find."""


class BadFrame(ValueError):  # noqa: N818 - named for what it is
    """The other side said something that is not a message."""


class Message(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a worker says: that it is ready, that it begins or ends compiling, or what came of the trial."""

    kind: Literal["ready", "compile", "run", "result"]
    at: float
    """The worker's monotonic clock, which is the driver's as well."""
    result: Result | None = None
    soiled: bool = False
    """The trial left threads or processes behind."""


def frame(message: Message | Trial) -> bytes:
    """One message as bytes. Numbers and arrays of NumPy become JSON, NaN and infinity become null."""
    body = msgspec.json.encode(message, enc_hook=_plain)
    return HEADER.pack(MAGIC, len(body)) + body


def settled(result: Result) -> Result:
    """The result as it would arrive over a pipe, so that a trial run in this process gives the same row.

    Raises TypeError, ValueError or OverflowError for what no row can hold.
    """
    arrived = msgspec.json.decode(msgspec.json.encode(result, enc_hook=_plain), type=Result)
    for name, value in msgspec.structs.asdict(arrived).items():
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise OverflowError(f"{name}={value!r} does not fit into 64 bits")
    return arrived


def _plain(value: Any) -> Any:
    """Numbers and arrays of NumPy as plain Python; anything else raises TypeError."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    msg = f"a result holds numbers, text, lists and dicts, not {type(value).__name__}"
    raise TypeError(msg)


def body_length(header: bytes) -> int:
    """The length that a header announces. Raises BadFrame if it is not a header, or announces too much."""
    magic, length = HEADER.unpack(header)
    if magic != MAGIC:
        raise BadFrame("bytes that are not a message")
    if length > LIMIT:
        raise BadFrame(f"a message of more than {LIMIT >> 20} MB")
    return int(length)


class Inbox:
    """Puts messages of a worker together from the pieces in which they arrive."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._decode = msgspec.json.Decoder(Message).decode

    def feed(self, piece: bytes) -> list[Message]:
        """Take in a piece; return the messages that it completes. Raises BadFrame."""
        self._bytes += piece
        messages = []
        while len(self._bytes) >= HEADER.size:
            end = HEADER.size + body_length(bytes(self._bytes[: HEADER.size]))
            if len(self._bytes) < end:
                break
            messages.append(self._read(bytes(self._bytes[HEADER.size : end])))
            del self._bytes[:end]
        return messages

    def _read(self, body: bytes) -> Message:
        """One message, checked."""
        try:
            message = self._decode(body)
        except msgspec.MsgspecError as error:
            raise BadFrame(f"a message that cannot be read: {error}") from error
        if (message.kind == "result") != (message.result is not None):
            raise BadFrame(f"a message of kind {message.kind!r} with the wrong content")
        if message.result is not None and message.result.outcome not in ANSWERS:
            raise BadFrame(f"outcome={message.result.outcome!r}, which no trial can have by itself")
        return message
