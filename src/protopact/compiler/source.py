"""The text that is to be compiled, and the paths it is known by, checked before protoc sees them.

The pre-scan is linear, bounded, and only saves time: a text that it misses is refused by protoc, or ends protoc's
process.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from protopact.errors import Diagnostic, SchemaLinkError, SchemaSyntaxError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    from protopact.settings import CompilerSettings

_PATH_BYTES_MAX = 1024
_SEGMENT_BYTES_MAX = 255  # what file systems take

_FAULTS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("is empty", lambda path: not path),
    ("holds a control character", lambda path: any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in path)),  # noqa: PLR2004
    ("holds a character that is no valid Unicode", lambda path: any("\ud800" <= letter <= "\udfff" for letter in path)),
    ("holds a backslash; import paths use /", lambda path: "\\" in path),
    ("is absolute", lambda path: path.startswith("/")),
    ("names a drive", lambda path: re.match(r"[A-Za-z]:", path) is not None),
    ("has an empty part", lambda path: "" in path.split("/")),
    ("has a part . or ..", lambda path: not {".", ".."}.isdisjoint(path.split("/"))),
    ("is too long", lambda path: len(path.encode()) > _PATH_BYTES_MAX),
    ("has a part that is too long", lambda path: max(len(s.encode()) for s in path.split("/")) > _SEGMENT_BYTES_MAX),
)

_TOKENS_MAX = 20_000  # some 20 ms in the caller's process; what comes after is left to protoc
_STATEMENT_LENGTH_MAX = 40
_IMPORT_STATEMENTS = frozenset({"import", "import public", "import weak", "import option"})
# Statements that list numbers, and the entries of such a list: protoc keeps more than a kilobyte of memory for each
# entry, and compares it with all others of its message.
_NUMBERED = re.compile(r"(?:^|;)\s*+(?:reserved|extensions)\b([^;]*+)")
_ENTRY = re.compile(r"\b\d\w*+(?:\s++to\s++\w++)?+")
_IMPORT_PATH = "\0"  # stands for an import statement whose path has begun: adjacent strings are one

_COMMENT = r"//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)"
_SPACE = re.compile(rf"(?:\s++|{_COMMENT})*+")
_STRING = re.compile(r"""(?s)"(?:[^"\\\n]++|\\.)*+["\n]?|'(?:[^'\\\n]++|\\.)*+['\n]?""")
_NAME = re.compile(rf"(?:\.{_SPACE.pattern}[\w()]*+{_SPACE.pattern})++")
_ONE = re.compile(".")
_START = re.compile(r"""[/"'.{}<>\[\]]""")
_SHAPES = {
    "/": ("comment", re.compile(_COMMENT)),
    '"': ("string", _STRING),
    "'": ("string", _STRING),
    ".": ("name", _NAME),
} | dict.fromkeys("{}<>[]", ("bracket", _ONE))
_OPENING_OF = {"}": "{", ">": "<", "]": "["}


def check_import_path(path: str) -> None:
    """Refuse a path that could lead out of the directory it is joined to, or that no file can have.

    The name of a reference is such a path. Raises SchemaLinkError.
    """
    fault = _fault(path)
    if fault:
        message = f"import path {path!r} {fault}"
        raise SchemaLinkError(message, diagnostics=[Diagnostic("", 0, 0, message)])


def check_sources(sources: Mapping[str, str], settings: CompilerSettings) -> tuple[dict[str, bytes], Scan]:
    """Give the sources as bytes, by import path, and a scan of them all, after all checks.

    Raises SchemaSyntaxError or SchemaLinkError.
    """
    for path in sources:
        check_import_path(path)
    _check_tree(sources)
    encoded = {path: _encoded(path, text, settings.text_bytes_max) for path, text in sources.items()}
    whole = Scan()
    for path, text in sources.items():
        scan = scan_text(text, settings.depth_max, settings.reserved_numbers_max)
        if settings.prescan:
            _check_scan(path, text, scan, settings)
        whole.imports += scan.imports
        whole.complete &= scan.complete
    return encoded, whole


@dataclass(slots=True)
class Scan:
    """What one linear pass sees: imports with their offsets, the first place that is too much, if all was seen.

    Too much is a place that is too deep, or the reserved number that is one too many; what follows is not looked at.
    """

    imports: list[tuple[int, str]] = field(default_factory=list)
    too_deep_at: int | None = None
    crowded_at: int | None = None
    complete: bool = True

    @property
    def is_refused(self) -> bool:
        """Whether some place is too much."""
        return self.too_deep_at is not None or self.crowded_at is not None

    def import_paths(self) -> set[str]:
        """Give the paths alone."""
        return {path for _, path in self.imports}


def scan_text(text: str, depth_max: int = sys.maxsize, reserved_numbers_max: int = sys.maxsize) -> Scan:
    """Find imports, nesting and reserved numbers outside comments, in one pass over a bounded number of tokens.

    Brackets of all kinds and the dots of one name count together as depth, a range of numbers as one.
    """
    return _Scanner(text, depth_max, reserved_numbers_max).scan


class _Scanner:
    """One pass over a text, a method for each kind of token; `statement` is what stands since the last `;`."""

    def __init__(self, text: str, depth_max: int, numbers_max: int) -> None:
        self.scan = Scan()
        self._text = text
        self._depth_max = depth_max
        self._numbers_left = numbers_max
        self._brackets: list[str] = []
        self._statement = ""
        self._lists_numbers = False
        self._run()

    def _run(self) -> None:
        see = {"comment": self._comment, "string": self._string, "name": self._name, "bracket": self._bracket}
        position = 0
        for _ in range(_TOKENS_MAX):
            start = _START.search(self._text, position)
            if start is None:
                self._extend_statement(position, len(self._text))
                return
            self._extend_statement(position, start.start())
            kind, shape = _SHAPES[start[0]]
            token = shape.match(self._text, start.start())
            position = start.end()
            if token is not None:  # a lone slash is no token
                position = token.end()
                see[kind](token[0], token.start())
            if self.scan.is_refused:
                return
        self.scan.complete = False

    def _extend_statement(self, position: int, end: int) -> None:
        words = self._text[position:end]
        if self._lists_numbers or "reserved" in words or "extensions" in words:
            self._see_numbers(words, position)
        before, semicolon, rest = words.rpartition(";")
        statement = " ".join(rest.split() if semicolon else (self._statement + " " + before + rest).split())
        self._statement = statement if len(statement) < _STATEMENT_LENGTH_MAX else "…"

    def _see_numbers(self, words: str, position: int) -> None:
        """Count the numbers of the statement that goes on here, and of those that begin here."""
        end = words.find(";")
        if self._lists_numbers:
            self._count_numbers(words if end < 0 else words[:end], position)
        if self._statement and end < 0:
            return
        self._lists_numbers = False
        for found in _NUMBERED.finditer(words, end if self._statement else 0):
            self._count_numbers(found[1], position + found.start(1))
            self._lists_numbers = found.end() == len(words)

    def _count_numbers(self, listed: str, position: int) -> None:
        for entry in _ENTRY.finditer(listed):
            self._numbers_left -= 1
            if self._numbers_left < 0:
                self.scan.crowded_at = position + entry.start()
                return

    def _comment(self, _token: str, _start: int) -> None:
        """Let it count as the space that it is."""

    def _string(self, token: str, start: int) -> None:
        if self._statement in _IMPORT_STATEMENTS:
            self.scan.imports.append((start, token[1:-1]))
            self._statement = _IMPORT_PATH
        elif self._statement == _IMPORT_PATH:
            begun, path = self.scan.imports.pop()
            self.scan.imports.append((begun, path + token[1:-1]))
        else:
            self._statement = "…"

    def _name(self, token: str, start: int) -> None:
        self._statement = "…"
        self._see_depth(len(self._brackets) + (_SPACE.sub("", token) if "/" in token else token).count("."), start)

    def _bracket(self, token: str, start: int) -> None:
        self._statement, self._lists_numbers = "", False
        opening = _OPENING_OF.get(token)
        if opening is None:
            self._brackets.append(token)
            self._see_depth(len(self._brackets), start)
        elif self._brackets and self._brackets[-1] == opening:
            self._brackets.pop()

    def _see_depth(self, depth: int, start: int) -> None:
        if depth > self._depth_max:
            self.scan.too_deep_at = start


def _check_scan(file_name: str, text: str, scan: Scan, settings: CompilerSettings) -> None:
    if (nul := text.find("\0")) >= 0:
        _refuse(file_name, text, nul, "a NUL character cannot stand in a .proto text")
    if scan.too_deep_at is not None:
        _refuse(file_name, text, scan.too_deep_at, f"nested more than {settings.depth_max} deep")
    if scan.crowded_at is not None:
        most = f"{settings.reserved_numbers_max:,}"
        _refuse(file_name, text, scan.crowded_at, f"more than {most} numbers and ranges are reserved or for extensions")
    for offset, path in scan.imports:
        if fault := _fault(path):
            _refuse(file_name, text, offset, f"import path {path!r} {fault}", SchemaLinkError)


def import_paths(text: str) -> tuple[str, ...]:
    """Give the paths that a text imports, in its order, without those that no file can have.

    For a text of more than some 20,000 strings, comments and brackets only those seen until then.
    """
    return tuple(path for _, path in scan_text(text).imports if not _fault(path))


def load_sources(names: Iterable[str], roots: Iterable[str | os.PathLike[str]]) -> dict[str, str]:
    """Read the named files and everything that they import from the first root that has each, by import path.

    Imports that no root has are left out: they may be built in or given as descriptors. Raises SchemaLinkError for
    a named file that no root has or an impossible path, SchemaSyntaxError for a file that is not UTF-8.
    """
    directories = [Path(root) for root in roots]
    wanted = list(names)
    named, sources = set(wanted), dict[str, str]()
    while wanted:
        path = wanted.pop()
        if path in sources:
            continue
        check_import_path(path)
        found = next((file for root in directories if (file := root / path).is_file()), None)
        if found is not None:
            sources[path] = _read(path, found)
            wanted += import_paths(sources[path])
        elif path in named:
            _refuse_file(path, SchemaLinkError, "file not found in any of the given directories")
    return sources


@lru_cache(maxsize=4096)
def _fault(path: str) -> str:
    return next((fault for fault, found_in in _FAULTS if found_in(path)), "")


def _check_tree(paths: Iterable[str]) -> None:
    known = set(paths)
    for path in known:
        above = path
        while above := above.rpartition("/")[0]:
            if above in known:
                _refuse_file(path, SchemaLinkError, f"{above!r} cannot be a file and a directory at once")


def _encoded(path: str, text: str, bytes_max: int) -> bytes:
    if len(text) > bytes_max:
        _refuse_file(path, SchemaSyntaxError, f"the text is longer than {bytes_max:,} bytes")
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        _refuse(path, text, error.start, "a lone surrogate is no valid Unicode")
    if len(data) > bytes_max:
        _refuse_file(path, SchemaSyntaxError, f"the text is longer than {bytes_max:,} bytes")
    return data


def _read(path: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        _refuse_file(path, SchemaSyntaxError, "the file is not UTF-8")
    except OSError as error:
        _refuse_file(path, SchemaLinkError, f"the file cannot be read: {error.strerror}")


def _refuse(
    file_name: str,
    text: str,
    offset: int,
    message: str,
    error: type[SchemaSyntaxError | SchemaLinkError] = SchemaSyntaxError,
) -> NoReturn:
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    diagnostic = Diagnostic(file_name, line, column, message)
    raise error(str(diagnostic), diagnostics=[diagnostic])


def _refuse_file(path: str, error: type[SchemaSyntaxError | SchemaLinkError], message: str) -> NoReturn:
    diagnostic = Diagnostic(path, 0, 0, message)
    raise error(str(diagnostic), diagnostics=[diagnostic])
