"""The source tree as the architecture tests see it: modules, what they import, what they offer."""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "src" / "protopact"
ROOT = "protopact"

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


@dataclass(frozen=True)
class Import:
    """One imported module or name: `target` is its whole dotted path, `origin` what stands after `from`."""

    target: str
    line: int
    origin: str = ""


@dataclass(frozen=True)
class Module:
    """One file: its dotted name, its path below the package, its text."""

    name: str
    place: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """The tree and everything below it."""
        return tuple(ast.walk(self.tree))

    @property
    def is_door(self) -> bool:
        return self.place.endswith("__init__.py")

    @property
    def room(self) -> str:
        """The room's name, such as "framing" or "errors"; empty for the front door."""
        return self.name.partition(".")[2].partition(".")[0]

    @cached_property
    def offers(self) -> list[str]:
        """The names in `__all__`, in their order; empty without one."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
                return list(ast.literal_eval(node.value))
        return []

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import in the file, in functions and under TYPE_CHECKING as well."""
        return tuple(_imports_among(self.nodes))

    def imports_for_type_checkers(self) -> Iterator[Import]:
        """The imports that only a type checker sees."""
        for node in self.tree.body:
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                yield from _imports_among(ast.walk(node))

    def definition(self, name: str) -> ast.stmt | None:
        """The statement that defines a name at the module's top level."""
        return next((node for node in self.tree.body if name in _defined_by(node)), None)

    @cached_property
    def code_lines(self) -> int:
        """Lines that hold code: no blank lines, comments, docstrings, nor declared tables."""
        lines: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type not in _LAYOUT:
                lines.update(range(token.start[0], token.end[0] + 1))
        for node in self.nodes:
            if _is_docstring(node) or _is_table(node):
                lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        return len(lines)


@cache
def modules(package: Path) -> tuple[Module, ...]:
    """Every module below a package folder that is called `protopact`."""
    found = []
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package).as_posix()
        dotted = place.removesuffix(".py").removesuffix("__init__").rstrip("/").replace("/", ".")
        found.append(Module(f"{ROOT}.{dotted}".rstrip("."), place, path.read_text(encoding="utf-8")))
    return tuple(found)


def public_definitions(module: Module) -> Iterator[tuple[str, Definition]]:
    """Public functions and classes of a module, and the public methods of these classes."""
    for node in module.tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                yield from (
                    (f"{node.name}.{member.name}", member)
                    for member in node.body
                    if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)
                    and (not member.name.startswith("_") or member.name in {"__init__", "__call__"})
                )


def _imports_among(nodes: Iterable[ast.AST]) -> Iterator[Import]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            yield from (Import(f"{origin}.{alias.name}", node.lineno, origin) for alias in node.names)


def _defined_by(node: ast.stmt) -> set[str]:
    if isinstance(node, Definition):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {ast.unparse(target) for target in node.targets}
    if isinstance(node, ast.AnnAssign):
        return {ast.unparse(node.target)}
    return set()


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_table(node: ast.AST) -> bool:
    """A declared table: a constant in capitals that is a dict, tuple, list or set written out, or a frozen one."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return False
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    value = node.value.args[0] if isinstance(node.value, ast.Call) and len(node.value.args) == 1 else node.value
    return (
        isinstance(target, ast.Name)
        and target.id == target.id.upper()
        and isinstance(value, ast.Dict | ast.Tuple | ast.List | ast.Set)
    )
