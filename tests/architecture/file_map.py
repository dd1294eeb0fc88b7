"""The file map of docs/internals.md, made from the first line of every module's docstring."""

from __future__ import annotations

import ast

from architecture.source import PACKAGE, REPOSITORY, Module, modules

PAGE = REPOSITORY / "docs" / "internals.md"
BEGIN, END = "<!-- file map: made by `just golden` -->", "<!-- end of file map -->"

# The files to open first: each is where its room's work can be read in order.
STARS = {
    "cli/main.py",
    "client/exchange.py",
    "compat/verdict.py",
    "compiler/compile.py",
    "connect/registry.py",
    "convert/dicts/encode.py",
    "demo/run.py",
    "descriptor/file_sets.py",
    "framing/prefix.py",
    "integrations/kafka/consuming.py",
    "registry/problems.py",
    "rollout/plan.py",
    "schema/load.py",
    "serdes/plan.py",
    "server/decisions/service.py",
}


def file_map() -> str:
    """One table row a file: its path below src/protopact, and what it says of itself."""
    rows = [
        f"| `{module.place}`{' ★' if module.place in STARS else ''} | {_first_line(module)} |"
        for module in modules(PACKAGE)
    ]
    return "\n".join(["| file | what it is |", "|---|---|", *rows])


def written_map() -> str:
    """The map as it stands in the page."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()


def write_map() -> None:
    """Put today's map into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{file_map()}\n{END}{after}", encoding="utf-8")


def _first_line(module: Module) -> str:
    return (ast.get_docstring(module.tree) or "").partition("\n")[0].removeprefix("★ ").replace("|", "\\|")
