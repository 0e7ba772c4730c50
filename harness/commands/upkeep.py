"""The machine and what is kept on it: `hebbench doctor`, `hebbench clean`."""

from __future__ import annotations

import click

from harness.commands.shared import json_option, say, say_json


@click.command()
@click.option("--no-compile", is_flag=True, help="Leave out the table of compile times, which takes half a minute.")
@json_option
def doctor(no_compile: bool, as_json: bool) -> None:
    """Say what this machine has, and how long the kernels of each learner take to compile and to load."""
    from harness import machine

    found = machine.examine(compile_kernels=not no_compile)
    if as_json:
        say_json(found)
        return
    for name, value in found["machine"].items():
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        click.echo(f"{name:<12} {text}")
    for line in found["kernels"]:
        error = f"   {line['error']}" if line["error"] else ""
        click.echo(f"{line['learner']:<18} cold {line['cold_s']:6.2f} s CPU   warm {line['warm_s']:5.2f} s{error}")
    if found["kernels"]:
        cold, warm = (sum(line[k] for line in found["kernels"]) for k in ("cold_s", "warm_s"))
        click.echo(f"{'all':<18} cold {cold:6.2f} s CPU   warm {warm:5.2f} s")


@click.command()
def clean() -> None:
    """Remove compiled kernels; they are made anew when they are needed. No result is touched."""
    from harness.jit import cache_folder
    from harness.machine import forget

    say(f"Removed {forget() / 1e6:.1f} MB from {cache_folder()}.")
