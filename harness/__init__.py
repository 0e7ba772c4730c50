"""The machinery of hebbench. It knows no learner, task or figure by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api import run
    from harness.export import results

__all__ = ["results", "run"]

_HOMES = {"results": "harness.export", "run": "harness.api"}


def __getattr__(name: str) -> Any:
    """Load what is asked for only then: `import harness` costs nothing."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
