"""`python -m harness.checks WHERE CHECK [PARAMS]`: repeat one check and show the traceback where it fails.

WHERE is `package.module:Class` or `path/file.py:Class`, PARAMS a JSON object of hyperparameters.
"""

from __future__ import annotations

import json
import sys

import click

from harness.checks.contract import CHECKS
from harness.checks.report import checks
from harness.loading import load


def main(where: str, name: str, params: str = "{}") -> None:
    """Run one check on one learner."""
    cls = load(where)
    chosen = [check for check in CHECKS if check.id == name]
    if not chosen:
        raise SystemExit(f"check={name!r} must be one of {', '.join(check.id for check in checks(cls))}.")
    if reason := chosen[0].refuses(cls):
        click.echo(f"skipped: {reason}")
        return
    chosen[0](cls(**json.loads(params)))
    click.echo("passed")


if __name__ == "__main__":
    main(*sys.argv[1:])
