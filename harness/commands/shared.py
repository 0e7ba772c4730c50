"""What commands share: options, sizes and shards, defaults from a file, and how things are said."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.settings import RequestError, unknown

if TYPE_CHECKING:
    from harness.registry import Found

DONE, FAILED, INTERRUPTED = 0, 1, 130
"""Exit codes; click's own 2 is for what was asked for in a wrong way."""
STORE = "hebbench.db"

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

store_option: Decorator = click.option(
    "--store", default=STORE, show_default=True, type=click.Path(path_type=Path), help="SQLite file of results."
)
json_option: Decorator = click.option("--json", "as_json", is_flag=True, help="JSON alone on stdout.")


def output_option(default: str) -> Decorator:
    """The option --output; `-` is stdout."""
    return click.option(
        "--output", default=default, show_default=True, type=click.Path(path_type=Path), help="File to write; - for stdout."
    )


# ---------------------------------------------------------------- what is written on the command line


def size(text: Any) -> int:
    """The bytes of 2GB, 500MB or 1000000."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", str(text).strip(), re.IGNORECASE | re.ASCII)
    if not match or float(match[1]) <= 0:
        raise click.BadParameter(f"{text!r} is no size; write 500MB or 2GB.")
    return int(float(match[1]) * 1024 ** " KMGT".index(match[2].upper() or " "))


def seconds(text: Any) -> float:
    """A time; NaN, which is below no bound, and infinity are none."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise click.BadParameter(f"{text!r} is no time; write seconds above 0, such as 30.")
    return value


def part(text: str) -> tuple[int, int]:
    """(i, n) of 1/4 to 4/4."""
    match = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise click.BadParameter(f"{text!r} is no part of a plan; write i/n with 1 <= i <= n, such as 1/4.")
    return int(match[1]), int(match[2])


def from_file(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:  # noqa: ARG001 - click's signature
    """Take defaults of this command's options from a TOML file; its keys are their long names, and `preset`."""
    if value is None:
        return
    try:
        given = tomllib.loads(value.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.BadParameter(f"{value} cannot be read: {error}") from None
    known = {word.removeprefix("--"): p for p in ctx.command.params for word in p.opts if word != "--config"}
    for key in given:
        if key not in known:
            raise click.BadParameter(f"{value}: {unknown('option', key, known)}")
    ctx.default_map = {
        **(ctx.default_map or {}),
        **{str(known[k].name): _default(value, known[k], k, v) for k, v in given.items()},
    }


def _default(file: Path, option: click.Parameter, key: str, value: Any) -> Any:
    """One value of a file in the form that click expects of this option."""
    flag = bool(getattr(option, "is_flag", False))
    if key == "seeds" and isinstance(value, list):
        return "".join(f"{seed}," for seed in value)
    if getattr(option, "multiple", False):
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise click.BadParameter(f'{file}: {key}={value!r} must be text or a list of texts, such as ["a", "b"].')
    elif isinstance(value, bool) != flag or isinstance(value, list | dict):
        raise click.BadParameter(f"{file}: {key}={value!r} must be {'true or false' if flag else 'text or a number'}.")
    return value


# ---------------------------------------------------------------- what is said


def say(text: str) -> None:
    """Words about what was done: on stderr, so that stdout holds results alone."""
    click.echo(text, err=True)


def say_json(value: Any) -> None:
    """JSON on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False))


def say_broken(found: Found) -> None:
    """Name what was left out."""
    for broken in found.broken:
        say(f"Left out: {broken.name} ({broken.origin}): {broken.error}")


def counted(n: int, thing: str) -> str:
    """`1 trial`, `2 trials`."""
    return f"{n} {thing}{'s' * (n != 1)}"


def again() -> str:
    """The command that is running, to be given once more."""
    return f"To go on:\n  {shlex.join(['hebbench', *sys.argv[1:]])}"


def write(path: Path, text: str, *, quiet: bool = False) -> None:
    """Write a file whole or not at all; `-` is stdout."""
    if str(path) == "-":
        click.echo(text, nl=False)
        return
    draft = path.parent / f".{path.name}.{os.getpid()}"
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise RequestError(f"{path} cannot be written: {error.strerror}; choose another file.") from None
    if not quiet:
        say(f"Wrote {path} ({len(text) / 1e6:.2f} MB).")
