"""Schema texts that abort, exhaust or trick an unprotected protoc, in one table.

`Bomb.protoc` says what grpcio-tools 1.85.1 does with the text in process: dies by a signal, runs on ("slow"), or
refuses it cleanly ("refuses"; there the danger is the file that would be opened).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from protopact.errors import SchemaLinkError, SchemaSyntaxError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Bomb:
    """One hostile text with the other texts that it imports, and what it is refused with."""

    name: str
    text: str
    protoc: Literal["SIGABRT", "SIGSEGV", "slow", "refuses"]
    error: type[SchemaSyntaxError | SchemaLinkError] = SchemaSyntaxError
    sources: Mapping[str, str] = field(default_factory=dict)
    prescan_places_it: bool = False

    def __str__(self) -> str:
        return self.name


_OPTION = (
    'syntax = "proto2";\n'
    'import "google/protobuf/descriptor.proto";\n'
    "message Link { optional Link a = 1; }\n"
    "extend google.protobuf.FileOptions { optional Link o = 50000; }\n"
)


def _nested_option(depth: int, opening: str, closing: str) -> str:
    return f"{_OPTION}option (o) = {{ {f'a{opening}' * (depth - 1)}{closing * (depth - 1)} }};\n"


def _reserved_numbers(size_bytes: int) -> str:
    # Single numbers with gaps: protoc compares each with all others.
    head, tail = 'syntax = "proto3";\nmessage Reserved { reserved ', "; }\n"
    numbers, length, number = [], len(head) + len(tail), 1
    while length < size_bytes:
        numbers.append(str(number))
        length += len(numbers[-1]) + 1
        number += 2
    return f"{head}{','.join(numbers)}{tail}"


def _deep_oneof_groups(depth: int) -> str:
    return 'syntax = "proto2";\nmessage Deep {' + "oneof o { group G = 1 {" * depth + "}" * (2 * depth + 1)


def _deep_groups(depth: int) -> str:
    return 'syntax = "proto2";\nmessage Deep {' + "optional group G = 1 {" * depth + "}" * (depth + 1)


BOMBS = (
    Bomb("option value nested 100 deep", _nested_option(101, "{", "}"), "SIGABRT", prescan_places_it=True),
    Bomb("option value nested 5,000 deep", _nested_option(5_000, "{", "}"), "SIGSEGV", prescan_places_it=True),
    Bomb("option value nested 110 deep in <>", _nested_option(111, "<", ">"), "SIGABRT", prescan_places_it=True),
    Bomb("option value nested 5,000 deep in <>", _nested_option(5_000, "<", ">"), "SIGSEGV", prescan_places_it=True),
    Bomb("option name of 100 parts", f"{_OPTION}option (o){'.a' * 100} = {{}};\n", "SIGABRT", prescan_places_it=True),
    Bomb("groups nested 20,000 deep", _deep_groups(20_000), "slow", prescan_places_it=True),
    Bomb("oneof groups nested 20,000 deep", _deep_oneof_groups(20_000), "slow", prescan_places_it=True),
    Bomb("messages nested 40 deep", 'syntax = "proto3";' + "message M {" * 40 + "}" * 40, "refuses"),
    Bomb("1 MB of opened comments", "/*" * 500_000, "slow"),
    Bomb("512 KB of reserved numbers", _reserved_numbers(512 * 1024), "slow", prescan_places_it=True),
    Bomb(
        "import of a parent directory",
        'syntax = "proto3";\nimport "../../etc/passwd";\n',
        "refuses",
        error=SchemaLinkError,
        prescan_places_it=True,
    ),
    Bomb(
        "import of an absolute path",
        'syntax = "proto3";\nimport "/dev/zero";\n',
        "refuses",
        error=SchemaLinkError,
        prescan_places_it=True,
    ),
    Bomb(
        "import cycle",
        'syntax = "proto3";\nimport "b.proto";\nmessage A { B b = 1; }\n',
        "refuses",
        error=SchemaLinkError,
        sources={"b.proto": 'syntax = "proto3";\nimport "schema.proto";\nmessage B { A a = 1; }\n'},
    ),
)

MANY_MESSAGES = 'syntax = "proto3";\n' + "".join(f"message M{n} {{}}\n" for n in range(50_000))
"""Valid, 0.9 MB, and slow to read: it may be accepted, but within the limits of a job."""

CROWDED = 'syntax = "proto3";\n' + "".join(
    f"message M{n} {{ {''.join(f'reserved {number};' for number in range(1, 2 * 190, 2))} }}\n" for n in range(200)
)
"""Valid, with 38,000 reserved numbers: as many as are let through, each in a statement of its own, which costs most."""

GOOD = 'syntax = "proto3";\nmessage Good { int32 number = 1; }\n'

_FIELDS = [number for number in range(1, 20_000) if not 19_000 <= number < 20_000]


def _message(field: str, number: int) -> str:
    fields = (field.replace("#", str(n)) for n in _FIELDS[:number])
    return f'syntax = "proto3"; message A {{ {" ".join(fields)} }}'


LARGE = {
    "2,000 fields": _message("int32 a# = #;", 2000),
    "16,000 fields": _message("int32 a# = #;", 16_000),
    "4,000 maps": _message("map<int32, A> a# = #;", 4000),
    "10,000 oneofs": _message("oneof o# { int32 a# = #; }", 10_000),
    "12,000 messages": 'syntax = "proto3";' + "".join(f"message M{n} {{ int32 a = 1; }}" for n in range(12_000)),
    "20,000 enum values": f'syntax = "proto3"; enum E {{ {" ".join(f"V{n} = {n};" for n in range(20_000))} }}',
}
"""Schemas that are valid, and take a parser, a printer or a comparison long."""
