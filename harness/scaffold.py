"""`hebbench new learner NAME`: an installable package with one small learner that works, to be edited."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

from harness.registry import find
from harness.settings import RequestError

TEMPLATES = Path(__file__).parent / "templates"
PASCAL = re.compile(r"[A-Z][A-Za-z0-9]{0,59}")
"""How a learner may be called."""


def new_learner(name: str, folder: Path) -> Path:
    """Write the package `hebbench_<name in snake case>` into a folder, and return where it is.

    Raises RequestError for a name that is no class name in PascalCase or that another learner has, and where something
    of that name is there already.
    """
    word = snake(name)
    if other := find().learners.get(name.casefold()):
        msg = f"name={name!r} is taken by {other.source}; choose another."
        raise RequestError(msg)
    root = folder / f"hebbench_{word}"
    files = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        f"hebbench_{word}/__init__.py": "init.py",
        f"hebbench_{word}/{word}.py": "learner.py",
        f"tests/test_{word}.py": "test.py",
    }
    names = dict(name=name, snake=word, dashed=word.replace("_", "-"))
    try:
        root.mkdir(parents=True)
        for path, template in files.items():
            text = (TEMPLATES / f"{template}.tmpl").read_text(encoding="utf-8")
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text(Template(text).substitute(names), encoding="utf-8")
    except FileExistsError as error:
        msg = f"{error.filename} is there already and stays as it is; choose another name or folder."
        raise RequestError(msg) from None
    except OSError as error:
        msg = f"{root} cannot be written: {error.strerror}; choose another folder."
        raise RequestError(msg) from None
    return root


def snake(name: str) -> str:
    """`MySTDPRule` as `my_stdp_rule`; a RequestError where it is not PascalCase or means something else."""
    from harness import learner

    if not PASCAL.fullmatch(name):
        near = "".join(part[:1].upper() + part[1:] for part in re.findall(r"[A-Za-z0-9]+", name)).lstrip("0123456789")[:60]
        hint = f", for instance {near[:1].upper()}{near[1:]}" if near.isascii() and near else ""
        msg = f"name={name!r} must be a class name in PascalCase: a capital, then at most 59 letters A-Z, a-z and digits{hint}."
        raise RequestError(msg)
    word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    if keyword.iskeyword(name) or keyword.iskeyword(word) or name in learner.__all__:
        msg = f"name={name!r} means something else in Python or in harness.learner; choose another."
        raise RequestError(msg)
    return word
