"""What protoc wrote to standard error, as diagnostics and as the error to raise."""

from __future__ import annotations

import re

from protopact.errors import Diagnostic, SchemaLinkError, SchemaSyntaxError

_PLACED = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<message>.*)")
_FILE_ONLY = re.compile(r"(?P<file>\S.*?\.proto|\S+): (?P<message>[A-Z\"].*)")
_LOG_LINE = re.compile(r"[IWEF]\d{4} \d\d:\d\d:\d|WARNING: All log messages before|\*\*\* ")
_WARNING = "warning: "
_LINK_FAULTS = (
    "File not found.",
    "File recursively imports itself",
    "are not allowed in the virtual path",
)


def parse_diagnostics(stderr: str) -> tuple[Diagnostic, ...]:
    """Give protoc's errors in its order, without warnings and log lines.

    Reads protoc's default `gcc` format: `file:line:column: message` or `file: message`, lines and columns from 1. A
    line of another form continues the message before it.
    """
    diagnostics: list[Diagnostic] = []
    for line in stderr.splitlines():
        if not line.strip() or _LOG_LINE.match(line):
            continue
        if placed := _PLACED.fullmatch(line):
            diagnostics.append(
                Diagnostic(placed["file"], int(placed["line"]), int(placed["column"]), placed["message"])
            )
        elif whole := _FILE_ONLY.fullmatch(line):
            diagnostics.append(Diagnostic(whole["file"], 0, 0, whole["message"]))
        elif diagnostics:
            last = diagnostics.pop()
            diagnostics.append(Diagnostic(last.file, last.line, last.column, f"{last.message} {line.strip()}"))
        else:
            diagnostics.append(Diagnostic("", 0, 0, line.strip()))
    return tuple(d for d in diagnostics if not d.message.startswith(_WARNING))


def refusal(stderr: str) -> SchemaSyntaxError | SchemaLinkError:
    """Give the error for a text that protoc refused: SchemaLinkError if an import is missing or circular."""
    diagnostics = parse_diagnostics(stderr)
    unlinked = [d for d in diagnostics if any(fault in d.message for fault in _LINK_FAULTS)]
    if unlinked:
        return SchemaLinkError(
            _headline(diagnostics),
            diagnostics=diagnostics,
            hint="give every imported file that is not built in, and no file that imports itself",
        )
    return SchemaSyntaxError(_headline(diagnostics), diagnostics=diagnostics)


def surrender(file_name: str, reason: str) -> SchemaSyntaxError:
    """Give the error for a text that protoc did not get through."""
    diagnostic = Diagnostic(file_name, 0, 0, f"the compiler gave up: {reason}")
    return SchemaSyntaxError(
        str(diagnostic),
        diagnostics=[diagnostic],
        hint="the text is too large, too deep or too repetitive; CompilerSettings has the limits",
    )


def _headline(diagnostics: tuple[Diagnostic, ...]) -> str:
    if not diagnostics:
        return "protoc refused the text without saying why"
    first = next((d for d in diagnostics if d.line), diagnostics[0])
    more = len(diagnostics) - 1
    return f"{first} (and {more} more)" if more else str(first)
