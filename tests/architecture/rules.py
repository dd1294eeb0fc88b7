"""The rules of the house. Each takes a package folder and gives its findings, one line each; none means clean."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from architecture.source import PACKAGE, ROOT, Module, modules, public_definitions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CODE_LINES_MAX = 400
UNCOUNTED = {"errors.py"}

# A name that says nothing about what is inside invites everything.
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc"}

# An optional package, and the places that may import it: the room that needs it, and who names its types.
EXTRAS: dict[str, tuple[str, ...]] = {
    "grpc_tools": ("compiler/",),
    "httpx2": ("client/",),
    "uvicorn": ("server/",),
    "psycopg": ("server/store/",),
    "pyarrow": ("convert/", "serdes/"),
    "protovalidate": ("rules/", "schema/installed_files.py"),
    "pydantic": ("schema/model/", "measure/"),
    "pydantic_core": ("schema/model/",),
    "argon2": ("server/",),
    "jwt": ("server/",),
    "prometheus_client": ("server/",),
    "confluent_kafka": ("integrations/kafka/", "testing/kafka.py"),
    "rich": ("cli/",),
    "kio": ("broker/",),
    "cramjam": ("broker/",),
    "crc32c": ("broker/",),
}

# Who may import by a name that is computed.
IMPORTERS = {
    "compiler/inside.py": "what a contained process carries out: a function of ours, named by the parent process",
    "door.py": "the door itself",
    "descriptor/well_known.py": "modules of protobuf and googleapis-common-protos, by a table",
    "server/decisions/apart.py": "a task of ours, named by the parent process",
}


def inner_imports(package: Path = PACKAGE) -> list[str]:
    """A room is entered by its door: `protopact.room.file` is imported inside that room alone."""
    found, by_name = [], {module.name: module for module in modules(package)}
    for module in by_name.values():
        for imported in module.imports:
            home = _home(imported.target, set(by_name))
            door = _door_on_the_way(home, by_name)
            if home != door and not f"{module.name}.".startswith(f"{door}."):
                found.append(f"{module.place}:{imported.line} imports {home} past its door {door}")
    return sorted(set(found))


def front_door_imports(package: Path = PACKAGE) -> list[str]:
    """The front door is for users: inside the house nobody imports from `protopact` itself, nor relatively."""
    return [
        f"{module.place}:{imported.line} imports {imported.target}"
        for module in modules(package)
        for imported in module.imports
        if ROOT in {imported.origin, imported.target} or imported.origin.startswith(".")
    ]


def hidden_imports(package: Path = PACKAGE) -> list[str]:
    """An import by a string would escape the floors: only the door does it, and a room for its own files."""
    return [
        f"{module.place}:{node.lineno} imports by a string: {ast.unparse(node)}"
        for module in modules(package)
        for node in module.nodes
        if isinstance(node, ast.Call) and module.place not in IMPORTERS and _imports_by_string(node, module.room)
    ]


def vague_names(package: Path = PACKAGE) -> list[str]:
    """No room and no file has a name that says nothing."""
    return [
        f"{module.place} is called {part}"
        for module in modules(package)
        for part in module.name.split(".")
        if part.strip("_") in VAGUE_NAMES
    ]


def stray_extras(package: Path = PACKAGE) -> list[str]:
    """An optional package is imported only in the room that needs it."""
    return [
        f"{module.place}:{imported.line} imports {imported.target}, which belongs to {' and '.join(EXTRAS[extra])}"
        for module in modules(package)
        for imported in module.imports
        if (extra := imported.target.partition(".")[0]) in EXTRAS and not module.place.startswith(EXTRAS[extra])
    ]


def long_modules(package: Path = PACKAGE) -> list[str]:
    """A module has at most 400 lines of code."""
    return [
        f"{module.place} has {module.code_lines} lines of code, more than {CODE_LINES_MAX}"
        for module in modules(package)
        if module.place not in UNCOUNTED and module.code_lines > CODE_LINES_MAX
    ]


def undocumented_names(package: Path = PACKAGE) -> list[str]:
    """Every name in an `__all__` says what the caller gets: by a docstring, or a comment where Python has none."""
    by_name = {module.name: module for module in modules(package)}
    found = []
    for module in by_name.values():
        for name in module.offers:
            home = by_name.get(_origin(module, name))
            if home is not None:
                found += [f"{home.place}: {missing} has no docstring" for missing in _undocumented(home, name)]
    return sorted(set(found))


def any_in_signatures(package: Path = PACKAGE) -> list[str]:
    """No public signature says `Any`: it would switch the reader's type checker off."""
    return [
        f"{module.place}:{node.lineno} {name} says Any"
        for module in modules(package)
        for name, node in public_definitions(module)
        if any(_says_any(annotation) for annotation in _annotations(node))
    ]


def crooked_doors(package: Path = PACKAGE) -> list[str]:
    """A door's `__all__`, its imports for type checkers and its table of homes name the same things."""
    found = []
    for module in modules(package):
        homes = _homes(module)
        if homes is None:
            continue
        typed = {
            imported.target.rpartition(".")[2]: imported.target.rpartition(".")[0]
            for imported in module.imports_for_type_checkers()
            if imported.target.startswith(f"{ROOT}.")
        }
        offered = {name for name in module.offers if module.definition(name) is None}
        found += [f"{module.place}: {name} is not in all of __all__, imports and homes"
                  for name in sorted(offered ^ set(homes) | set(typed) ^ set(homes))]  # fmt: skip
        found += [
            f"{module.place}: {name} comes from {homes[name]} but is typed from {typed[name]}"
            for name in sorted(set(homes) & set(typed))
            if homes[name] != typed[name]
        ]
    return found


def shadowed_names(package: Path = PACKAGE) -> list[str]:
    """No door offers a name that one of its files has: once that file is loaded, Python would give the file instead."""
    names = {module.name for module in modules(package)}
    return [
        f"{module.place} offers {name}, which is also its file"
        for module in modules(package)
        if module.is_door
        for name in module.offers
        if f"{module.name}.{name}" in names
    ]


def silenced(mark: str, package: Path = PACKAGE) -> list[str]:
    """Where a checker is told to look away: `mark` is "noqa" or "type: ignore"."""
    return [
        f"{module.place}:{number}"
        for module in modules(package)
        for number, line in enumerate(module.text.splitlines(), 1)
        if re.search(rf"#\s*{mark}\b", line)
    ]


def _home(target: str, names: set[str]) -> str:
    """The module that an import reaches: the target itself, or its parent when the target is a name inside."""
    return target if target in names else target.rpartition(".")[0] if target.startswith(ROOT) else ""


def _door_on_the_way(home: str, by_name: dict[str, Module]) -> str:
    """The outermost package on the way that offers names; packages that offer none are corridors."""
    parts = home.split(".")
    ways = [".".join(parts[:length]) for length in range(2, len(parts) + 1)]
    return next((way for way in ways if way in by_name and by_name[way].offers), home)


def _imports_by_string(call: ast.Call, room: str) -> bool:
    """Whether the call imports something that is not plainly the room's own or another project's module."""
    first = call.args[0] if call.args else None
    if isinstance(first, ast.JoinedStr):
        first = first.values[0]
    known = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ROOT
    ours = known.startswith((ROOT, ".")) and not known.startswith(f"{ROOT}.{room}.")
    return ast.unparse(call.func).rpartition(".")[2] in {"import_module", "__import__"} and ours


def _origin(module: Module, name: str) -> str:
    """The module where an offered name is defined: behind a door, the one that the door imports it from."""
    if module.definition(name) is not None:
        return module.name
    return next((i.target.rpartition(".")[0] for i in module.imports if i.target.endswith(f".{name}")), module.name)


def _undocumented(home: Module, name: str) -> Iterator[str]:
    node = home.definition(name)
    if node is None or home.is_door:
        return
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        lines = home.text.splitlines()
        if not any("#" in line for line in lines[max(node.lineno - 2, 0) : node.lineno]) and not _followed_by_text(
            home, node
        ):
            yield name
        return
    yield from (
        member
        for member, definition in public_definitions(home)
        if (member == name or member.startswith(f"{name}."))
        and ast.get_docstring(definition) is None
        and not _repeats_another(definition)
    )


def _followed_by_text(home: Module, node: ast.stmt) -> bool:
    following = home.tree.body[home.tree.body.index(node) + 1 :][:1]
    return any(isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) for after in following)


def _repeats_another(node: ast.AST) -> bool:
    """An overload, a setter and a constructor have their text elsewhere."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    marks = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return node.name == "__init__" or bool(marks & {"overload", "setter", "override"})


def _annotations(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.ClassDef):
        yield from (
            member.annotation
            for member in node.body
            if isinstance(member, ast.AnnAssign) and not ast.unparse(member.target).startswith("_")
        )
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        yield from (argument.annotation for argument in every if argument and argument.annotation)
        if node.returns:
            yield node.returns


def _says_any(annotation: ast.expr) -> bool:
    """Whether `typing.Any` stands in it; protobuf's own message Any is another thing."""
    return any(
        (isinstance(node, ast.Name) and node.id == "Any")
        or (isinstance(node, ast.Attribute) and ast.unparse(node) in {"typing.Any", "t.Any"})
        for node in ast.walk(annotation)
    )


def _homes(module: Module) -> dict[str, str] | None:
    """The table that a door hands to `door(...)`, with whole module paths."""
    for node in module.nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "door" and len(node.args) > 1:
            table = ast.literal_eval(_written_out(module, node.args[1]))
            return {name: home if "." in home else f"{module.name}.{home}" for name, home in table.items()}
    return None


def _written_out(module: Module, table: ast.expr) -> ast.expr:
    """A table may have a name of its own."""
    named = module.definition(table.id) if isinstance(table, ast.Name) else None
    return named.value if isinstance(named, ast.Assign | ast.AnnAssign) and named.value else table
