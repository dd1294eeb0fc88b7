"""One schema against those before it: a short history is compared at once, a long one apart, piece by piece.

What was found to fit is remembered, so that a comparison which was broken off goes on where it stopped, and one that
is made again while others wait for the write costs next to nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from protopact.compat import check
from protopact.descriptor import FileSet
from protopact.errors import RegistryError, SchemaError
from protopact.registry import Problem
from protopact.server.decisions.apart import LIGHT_BYTES_MAX, TooLongError
from protopact.server.decisions.bounded import BoundedCache
from protopact.server.decisions.understanding import Imported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from protopact.compiler import Workers
    from protopact.server.decisions.apart import Answer, Apart

_LIGHT_BYTES_MAX = 2 * LIGHT_BYTES_MAX
_PIECE_BYTES = 256 * 1024
_ONE_CALL_S = 8.0
_FITS_MAX = 20_000
_FIT_BYTES = 200
_TEXT_TOLD_MAX = 10 * 1024 + 1  # of an old schema's text, messages show a little less
_DIFFERENCES_TOLD_MAX = 1000
_ROOT = "default"


class Rules(NamedTuple):
    """By what is compared: the level, the breaking policy, and whether that looks at every version's numbers."""

    level: str
    policy: str
    is_strict: bool
    validates_fields: bool


@dataclass(frozen=True)
class Side:
    """A schema as it is compared: its descriptor, what it imports, and where the imports come from, by path.

    A version of a subject has a number, a text, and an identity: what never stands for another schema.
    """

    descriptor: bytes
    imports: tuple[Imported, ...]
    places: Mapping[str, tuple[str, int]]
    version: int = 0
    text: str = ""
    identity: tuple[str, int, str] = ("", 0, "")

    @cached_property
    def size(self) -> int:
        """The bytes of all descriptors."""
        return len(self.descriptor) + sum(len(one.descriptor) for one in self.imports)

    @cached_property
    def digest(self) -> bytes:
        """A hash of all that is compared."""
        whole = sha256(repr(sorted(self.places.items())).encode())
        for name, descriptor in (("", self.descriptor), *self.imports):
            whole.update(b"%d %d " % (len(name), len(descriptor)) + name.encode() + descriptor)
        return whole.digest()

    def file_set(self) -> FileSet:
        """Link the files; SchemaError."""
        imported = [one.file() for one in self.imports]
        taken = {one.name for one in self.imports}
        free = (name for name in (_ROOT, *(f"{_ROOT}_{n}" for n in range(len(taken) + 1))) if name not in taken)
        root = FileDescriptorProto.FromString(self.descriptor)
        root.name = next(free)
        try:
            return FileSet.link(root.name, [root, *imported])
        except SchemaError as error:
            raise SchemaError(f"a stored schema cannot be linked: {error}") from error


Linked: TypeAlias = "Callable[[Side], FileSet]"


class Comparer:
    """Compares schemas with their histories, here or apart."""

    def __init__(self, apart: Apart) -> None:
        """Have long comparisons made there."""
        self._apart = apart
        self._fits: BoundedCache[tuple[object, ...], bool] = BoundedCache(
            entries_max=_FITS_MAX, bytes_max=_FITS_MAX * _FIT_BYTES
        )

    def messages(self, candidate: Side, history: Sequence[Side], rules: Rules, *, linked: Linked) -> tuple[str, ...]:
        """Give why a candidate does not fit the versions before it, newest first; nothing where it does.

        InvalidSchemaError (42201) where one comparison is too much work, RegistryError 503 where all of them together
        take too long; what was found until then is remembered. `linked` gives the file set of a short side.
        """
        if candidate.size + sum(side.size for side in history) <= _LIGHT_BYTES_MAX:
            return compared(candidate, history, rules, linked)
        deadline = time.monotonic() + _ONE_CALL_S
        newest = (history[0].identity if rules.is_strict else None, candidate.digest, rules)
        unknown = [side for side in history if not self._fits.find((side.identity, *newest))]
        for piece in _pieces(unknown):
            if time.monotonic() > deadline:
                raise RegistryError("the comparison with all versions takes a while, try again", error_code=503)
            also = history[:1] if rules.is_strict and history[0] is not piece[0] else ()
            messages = self._ask(candidate, [*also, *piece], rules)
            if messages:
                return messages
            for side in piece:
                self._fits.keep((side.identity, *newest), value=True, size=_FIT_BYTES)
        return ()

    def _ask(self, candidate: Side, history: Sequence[Side], rules: Rules) -> tuple[str, ...]:
        sides = [candidate, *history]
        parts = [part for side in sides for part in (side.descriptor, *(one.descriptor for one in side.imports))]
        question = {"rules": rules, "sides": [_told(side) for side in sides]}
        try:
            messages, _ = self._apart.ask(_compared_apart, question, parts)
        except TooLongError as error:
            raise Problem.INVALID_SCHEMA.error(reason=f"it cannot be compared with other versions: {error}") from error
        return tuple(map(str, messages)) if isinstance(messages, list) else ()


def _compared_apart(question: Mapping[str, Any], parts: Sequence[bytes], _workers: Workers) -> Answer:
    """Do for a comparer what takes long."""
    rest = iter(parts)
    candidate, *history = (_side(told, rest) for told in question["sides"])
    return list(compared(candidate, history, Rules(*question["rules"]), Side.file_set)), ()


def compared(candidate: Side, history: Sequence[Side], rules: Rules, linked: Linked) -> tuple[str, ...]:
    """Give why the newest version that speaks against a candidate does; nothing where none does."""
    report = check(
        candidate.file_set(),
        [linked(side) for side in history],
        rules.level,
        policy=rules.policy,
        candidate_references=candidate.places,
        history_references=[side.places for side in history],
    )
    by = report.refused_by
    if by is None:
        return ()
    old = history[by.index]
    told = report.messages(old_version=old.version, old_schema=old.text, validate_fields=rules.validates_fields)
    more = len(by.messages()) - _DIFFERENCES_TOLD_MAX
    if more <= 0:
        return told
    return (*told[:_DIFFERENCES_TOLD_MAX], f"{{and {more:,} more}}", *told[_DIFFERENCES_TOLD_MAX + more :])


def _pieces(history: Sequence[Side]) -> Iterator[list[Side]]:
    """Part a history into pieces that are short enough to be compared at once, or single versions."""
    piece: list[Side] = []
    room = _PIECE_BYTES
    for side in history:
        room -= side.size
        if piece and room < 0:
            yield piece
            piece, room = [], _PIECE_BYTES - side.size
        piece.append(side)
    if piece:
        yield piece


def _told(side: Side) -> list[object]:
    places = [[path, *place] for path, place in side.places.items()]
    return [[one.name for one in side.imports], places, side.version, side.text[:_TEXT_TOLD_MAX]]


def _side(told: list[Any], parts: Iterator[bytes]) -> Side:
    names, places, version, text = told
    descriptor = next(parts)
    imports = tuple(Imported(name, next(parts)) for name in names)
    return Side(descriptor, imports, {path: (subject, number) for path, subject, number in places}, version, text)
