"""Our verdicts beside those of `buf breaking`: on random pairs, and on one pair for each known disagreement."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from environments import locked_environment
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from protopact.compat import check
from protopact.compiler import compile_text
from schemas.pairs import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from protopact.descriptor import FileSet

PROJECT = Path(__file__).parent / "buf"
RUN_S = 120.0
FOUND = 100  # buf's exit status when it found something


@dataclass(frozen=True)
class Disagreement:
    """A change that one side accepts and the other refuses: `refusal` is the type or the rule that refuses it."""

    refusal: str
    before: str
    after: str
    after_name: str = ""


# buf accepts these at WIRE; Confluent's rules, and so ours, refuse them at BACKWARD.
CONFLUENT_REFUSES = {
    "a package that changes with its file": Disagreement(
        "PACKAGE_CHANGED", "package p; message A {}", "package q; message A {}", after_name="q/a.proto"
    ),
    "a message removed": Disagreement("MESSAGE_REMOVED", "message A {} message B {}", "message A {}"),
    "a message moved into another": Disagreement(
        "MESSAGE_REMOVED", "message A {} message B {}", "message A { message B {} }"
    ),
    "a member of a oneof removed and its number reserved": Disagreement(
        "ONEOF_FIELD_REMOVED",
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
        "message A { oneof o { int32 a = 1; } reserved 2; reserved 'b'; }",
    ),
}
# buf accepts these at WIRE_JSON, `wire_json` does not: what Confluent refuses, and what readers do feel.
WIRE_JSON_REFUSES = CONFLUENT_REFUSES | {
    "an enum value removed, number and name reserved: old JSON still says the name": Disagreement(
        "ENUM_CONST_REMOVED",
        "enum E { Z = 0; A = 1; }",
        "enum E { Z = 0; reserved 1; reserved 'A'; }",
    ),
    "a signed number for an unsigned one: -1 reads as another number": Disagreement(
        "FIELD_RANGE_CHANGED", "message A { fixed32 a = 1; }", "message A { sfixed32 a = 1; }"
    ),
}
# buf refuses these at WIRE_JSON, `wire_json` does not: nobody who reads binary or JSON feels them.
BUF_REFUSES = {
    "a oneof renamed": Disagreement(
        "FIELD_SAME_ONEOF",
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
        "message A { oneof p { int32 a = 1; int32 b = 2; } }",
    ),
    "one field moved into a new oneof": Disagreement(
        "FIELD_SAME_ONEOF", "message A { int32 a = 1; }", "message A { oneof o { int32 a = 1; } }"
    ),
    "the last member moved out of its oneof": Disagreement(
        "FIELD_SAME_ONEOF", "message A { oneof o { int32 a = 1; } }", "message A { int32 a = 1; }"
    ),
}


@pytest.fixture(scope="session")
def buf(absent: Callable[[str, str], None]) -> str:
    """Give the `buf` that `buf/uv.lock` names; synced on demand, kept in the cache."""
    return str(locked_environment(PROJECT, absent) / "buf")


class Buf:
    """One run of buf over many pairs, each in a folder of its own."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder

    def refusals(self, category: str, pairs: Iterable[tuple[FileSet, FileSet]]) -> Mapping[str, set[str]]:
        """Give the rules that each pair breaks, by the folder in which its files stand."""
        images = [FileDescriptorSet(), FileDescriptorSet()]
        for one in pairs:
            for image, file_set in zip(images, one, strict=True):
                image.file.extend(file_set.files)
        paths = [self._folder / name for name in ("before.binpb", "after.binpb")]
        for path, image in zip(paths, images, strict=True):
            path.write_bytes(image.SerializeToString())
        config = json.dumps({"version": "v2", "breaking": {"use": [category]}})
        options = ["--error-format", "json", "--config", config]
        done = subprocess.run(
            [self._program, "breaking", str(paths[1]), "--against", str(paths[0]), *options],
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
        assert done.returncode in {0, FOUND}, done.stderr
        found: dict[str, set[str]] = defaultdict(set)
        for line in done.stdout.splitlines():
            entry = json.loads(line)
            found[entry["path"].split("/")[0]].add(entry["type"])
        return found


@pytest.fixture
def breaking(buf: str, tmp_path: Path) -> Buf:
    return Buf(buf, tmp_path)


@pytest.fixture(scope="module")
def pairs(count: Callable[[int, int], int]) -> dict[str, tuple[FileSet, FileSet]]:
    made = {str(seed): versions(Random(seed), str(seed), 2) for seed in range(count(150, 2_500))}
    return {place: (original.file_set(), update.file_set()) for place, (original, update) in made.items()}


def ours(one: tuple[FileSet, FileSet], policy: str) -> set[str]:
    report = check(one[1], [one[0]], "BACKWARD", policy=policy)
    return {str(difference.type) for difference in report.incompatible}


def refusals(known: Mapping[str, Disagreement]) -> set[str]:
    return {each.refusal for each in known.values()}


def compiled(known: Disagreement) -> tuple[FileSet, FileSet]:
    before = compile_text(f'syntax = "proto3"; {known.before}', file_name="p/a.proto")
    return before, compile_text(f'syntax = "proto3"; {known.after}', file_name=known.after_name or "p/a.proto")


def test_whatever_buf_accepts_on_the_wire_is_accepted_but_for_the_list(
    breaking: Buf, pairs: dict[str, tuple[FileSet, FileSet]]
) -> None:
    theirs = breaking.refusals("WIRE", pairs.values())
    refused = {place: ours(one, "confluent") for place, one in pairs.items() if not theirs[place]}
    assert len(refused) > len(pairs) * 0.3
    assert len(refused) < len(pairs) * 0.7
    assert {place: types for place, types in refused.items() if types - refusals(CONFLUENT_REFUSES)} == {}


def test_wire_json_agrees_with_buf_but_for_the_lists(breaking: Buf, pairs: dict[str, tuple[FileSet, FileSet]]) -> None:
    theirs = breaking.refusals("WIRE_JSON", pairs.values())
    both = {place: (ours(one, "wire_json"), theirs[place]) for place, one in pairs.items()}
    agreed = sum(bool(types) == bool(rules) for types, rules in both.values())
    assert agreed > len(pairs) * 0.85
    stricter = {place: types for place, (types, rules) in both.items() if types and not rules}
    milder = {place: rules for place, (types, rules) in both.items() if rules and not types}
    assert {place: types for place, types in stricter.items() if types - refusals(WIRE_JSON_REFUSES)} == {}
    assert {place: rules for place, rules in milder.items() if rules - refusals(BUF_REFUSES)} == {}


@pytest.mark.parametrize("known", CONFLUENT_REFUSES.values(), ids=CONFLUENT_REFUSES)
def test_what_confluent_alone_refuses_is_still_accepted_by_buf(breaking: Buf, known: Disagreement) -> None:
    one = compiled(known)
    assert ours(one, "confluent") == {known.refusal}
    assert breaking.refusals("WIRE", [one]) == {}


@pytest.mark.parametrize("known", WIRE_JSON_REFUSES.values(), ids=WIRE_JSON_REFUSES)
def test_what_wire_json_alone_refuses_is_still_accepted_by_buf(breaking: Buf, known: Disagreement) -> None:
    one = compiled(known)
    assert ours(one, "wire_json") == {known.refusal}
    assert breaking.refusals("WIRE_JSON", [one]) == {}


@pytest.mark.parametrize("known", BUF_REFUSES.values(), ids=BUF_REFUSES)
def test_what_buf_alone_refuses_is_still_accepted_by_wire_json(breaking: Buf, known: Disagreement) -> None:
    one = compiled(known)
    assert ours(one, "wire_json") == set()
    assert breaking.refusals("WIRE_JSON", [one]) == {"p": {known.refusal}}
