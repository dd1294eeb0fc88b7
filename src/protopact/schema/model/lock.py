"""The lock file: which number every field and enum value has, and which ones were given up.

It is TOML, sorted by name and then by number, a line for each number: two branches that take the same number meet in
one place, and if both lines stay, the file cannot be read, which is what should happen.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from protopact.errors import ConfigError
from protopact.schema.saving import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOCK_NAME = "protopact.lock"
_FORMAT = 1
_HEAD = f"""\
# The numbers of fields and enum values, which records in topics and files depend on. Commit this file.
# Written by `protopact models lock`; it changes no line that is here, it only adds to them.
format = {_FORMAT}
"""
_MERGED = re.compile(r"^(<{7}|={7}|>{7})", re.MULTILINE)
_DUPLICATE_HINT = (
    "two branches took the same number: keep the line of the branch that was released first, delete the other's, "
    "and run `protopact models lock` again, which gives that field a new number"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one number stands for: a field's name and type (an enum value has none), and whether it was given up."""

    name: str
    type: str = ""
    removed: bool = False


@dataclass(slots=True)
class Lock:
    """A lock file's content: by the full name of each message and enum, its numbers."""

    messages: dict[str, dict[int, Entry]] = field(default_factory=dict)
    enums: dict[str, dict[int, Entry]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Lock:
        """Read a lock file; ConfigError for one that cannot be read or gives a number or name twice."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{path} cannot be read: {error}", option="lock", hint="write it: protopact models lock MODULE"
            ) from error
        if _MERGED.search(text):
            raise ConfigError(
                f"{path} holds the marks of a merge that is not finished", option="lock", hint=_DUPLICATE_HINT
            )
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            hint = _DUPLICATE_HINT if "overwrite" in str(error) else "restore it from version control"
            raise ConfigError(f"{path} is no lock file: {error}", option="lock", hint=hint) from error
        if data.get("format") != _FORMAT:
            raise ConfigError(
                f"{path} says format {data.get('format')!r}, this version reads {_FORMAT}",
                option="lock",
                hint="use the version of protopact that wrote it, or a newer one",
            )
        return cls(
            {name: _entries(path, name, table) for name, table in _tables(path, data, "message")},
            {name: _entries(path, name, table) for name, table in _tables(path, data, "enum")},
        )

    def to_text(self) -> str:
        """Give the file's text, the same for the same content."""
        parts = [_HEAD]
        for what, tables in (("message", self.messages), ("enum", self.enums)):
            for name, entries in sorted(tables.items()):
                lines = [f"\n[{what}.{json.dumps(name)}]\n"]
                lines += [f"{number} = {_inline(entry)}\n" for number, entry in sorted(entries.items())]
                parts.append("".join(lines))
        return "".join(parts)

    def save(self, path: Path) -> None:
        """Write the file: readers see the old one or the new one, whole."""
        write_atomically(path, self.to_text())


def _inline(entry: Entry) -> str:
    parts = [f"name = {json.dumps(entry.name)}"]
    if entry.type:
        parts.append(f"type = {json.dumps(entry.type)}")
    if entry.removed:
        parts.append("removed = true")
    return f"{{ {', '.join(parts)} }}"


def _tables(path: Path, data: Mapping[str, object], what: str) -> list[tuple[str, dict[str, object]]]:
    tables = data.get(what, {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ConfigError(
            f'{path}: {what} is no table of tables such as [{what}."shop.v1.Order"]',
            option="lock",
            hint="restore it from version control",
        )
    return list(tables.items())


def _entries(path: Path, owner: str, table: Mapping[str, object]) -> dict[int, Entry]:
    found: dict[int, Entry] = {}
    names: dict[str, int] = {}
    for key, value in table.items():
        try:
            number, entry = int(key), _entry(value)
        except (TypeError, ValueError):
            raise ConfigError(
                f"{path}: {owner}: {key} = {value!r} is no entry",
                option="lock",
                hint='an entry looks like 3 = { name = "email", type = "string" }',
            ) from None
        if number in found or entry.name in names:
            raise ConfigError(
                f"{path}: {owner}: {entry.name} stands twice, or its number {number} does",
                option="lock",
                hint=_DUPLICATE_HINT,
            )
        found[number], names[entry.name] = entry, number
    return found


def _entry(value: object) -> Entry:
    if not isinstance(value, dict) or not {"name"} <= set(value) <= {"name", "type", "removed"}:
        raise TypeError(value)
    name, kind, removed = value["name"], value.get("type", ""), value.get("removed", False)
    if not isinstance(name, str) or not isinstance(kind, str) or not isinstance(removed, bool):
        raise TypeError(value)
    return Entry(name, kind, removed)


def find_lock(module_file: Path) -> Path | None:
    """Find the lock file beside a module, or in one of the packages around it; the nearest wins."""
    folder = module_file.resolve().parent
    while True:
        if (folder / LOCK_NAME).is_file():
            return folder / LOCK_NAME
        if not (folder / "__init__.py").is_file() or folder.parent == folder:
            return None
        folder = folder.parent
