"""The directive `run`: code that is executed while a page is built, and what it printed, returned and drew.

A small one of our own: a kernel of Jupyter for each page would bring thirty more packages, and listen on open ports.
"""

import ast
import contextlib
import io
import os
import subprocess
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

PAGES: dict[str, tuple[Any, dict[str, Any]]] = {}
"""A folder and a namespace for each page."""


class Run(SphinxDirective):
    """`{run}` executes Python, `{run} shell` commands, `{run} file NAME` writes a file; a mistake is an error of the page.

    :hide: shows the output alone; :text: reads what is printed as text of the page; :code: n is the exit code of commands.
    """

    has_content = True
    optional_arguments = 2
    option_spec: ClassVar = dict(hide=directives.flag, text=directives.flag, code=int)

    def run(self) -> list[nodes.Node]:
        """Execute the content; return the nodes of code and output."""
        kind, name = [*self.arguments, *("python", "")[len(self.arguments) :]]
        code = "\n".join(self.content) + "\n"
        folder, names = PAGES.setdefault(self.env.docname, (tempfile.TemporaryDirectory(), {"__name__": "__main__"}))
        try:
            with contextlib.chdir(folder.name):
                output = [*getattr(self, kind)(code, name or names)]
        except Exception:  # noqa: BLE001 - whatever the code of a page raises is shown as it is
            raise self.error(f"the code of {self.env.docname} failed:\n{traceback.format_exc()}") from None
        shown = nodes.literal_block(code.rstrip(), code.rstrip(), language="console" if kind == "shell" else "python")
        return output if "hide" in self.options else [shown, *output]

    def python(self, code: str, names: dict[str, Any]) -> Iterator[nodes.Node]:
        """Execute statements; of a last expression without a `;` show the value, and all figures that are open."""
        tree = ast.parse(code)
        last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) and not code.endswith(";\n") else None
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(tree, "<page>", "exec"), names)  # noqa: S102 - that is what a page is for
            value = eval(compile(last, "<page>", "eval"), names) if last else None  # noqa: S307 - likewise
        yield from self.printed(printed.getvalue())
        yield from self.figures()
        if hasattr(value, "to_html") or hasattr(value, "to_frame"):
            table = value.to_frame() if hasattr(value, "to_frame") else value
            yield nodes.raw("", f'<div class="table-wrapper">{table.to_html(border=0, na_rep="")}</div>', format="html")
        elif value is not None and not hasattr(value, "figure"):
            yield from self.printed(repr(value))

    def shell(self, code: str, _: Any) -> Iterator[nodes.Node]:
        """Execute commands, each of which is one line, and show what they say."""
        done = subprocess.run(
            ["bash", "-c", code.replace("$ ", "")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode != self.options.get("code", 0):
            raise RuntimeError(f"exit code {done.returncode}: {done.stdout}")
        yield from self.printed(done.stdout)

    def file(self, code: str, name: str) -> Iterator[nodes.Node]:
        """Write a file."""
        Path(name).write_text(code, encoding="utf-8")
        yield nodes.caption("", "", nodes.literal(name, name))

    def printed(self, text: str) -> Iterator[nodes.Node]:
        """What was printed, as it stands or as text of the page."""
        if "text" in self.options:
            yield from self.parse_text_to_nodes(text)
        elif text.strip():
            yield nodes.literal_block(text.rstrip(), text.rstrip(), language="text", classes=["output"])

    @staticmethod
    def figures() -> Iterator[nodes.Node]:
        """The open figures as SVG, with the same bytes each time."""
        from matplotlib import pyplot as plt

        for number in plt.get_fignums():
            drawn = io.StringIO()
            plt.figure(number).savefig(drawn, format="svg", bbox_inches="tight", metadata={"Date": None})
            yield nodes.raw("", drawn.getvalue().partition("<svg")[2].join(["<figure><svg", "</figure>"]), format="html")
        plt.close("all")


def setup(app: Sphinx) -> dict[str, bool]:
    """Offer the directive; pages are read one after the other, since each works in a folder of its own."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "hebbench"
    os.environ["HEBBENCH_DOCS"] = str(app.outdir)
    app.add_directive("run", Run)
    return {"parallel_read_safe": False}
