"""★ Which number a field has: the one it says, the one that is locked, or, without a lock file, the next in order.

A lock file is compared with the model by one function, `compared`: what it gives is written by `lock_models`, and is
a mistake anywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from protopact.errors import SchemaIssue
from protopact.schema.model.lock import Entry
from protopact.schema.model.types import snake_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from enum import Enum

_OF_PROTOBUF = range(19_000, 20_000)  # protobuf keeps these field numbers for itself
_INT32 = range(-(2**31), 2**31)
_REOPEN = "to have the same one back, delete `removed = true` from its line in the lock file"


@dataclass(frozen=True, slots=True)
class Slot:
    """Something that needs a number: a field, a member of a union, or an enum's value.

    `number` is what it says of itself, `type` what the lock file keeps of it.
    """

    name: str
    type: str = ""
    number: int | None = None
    renamed_from: str | None = None


@dataclass(slots=True)
class Numbering:
    """The numbers of one message or enum; `changes` is what a lock file does not know yet."""

    numbers: dict[str, int] = field(default_factory=dict)
    entries: dict[int, Entry] = field(default_factory=dict)
    changes: list[SchemaIssue] = field(default_factory=list)
    issues: list[SchemaIssue] = field(default_factory=list)

    def removed(self) -> list[int | str]:
        """Give the numbers and names that were given up."""
        gone = [(number, entry.name) for number, entry in sorted(self.entries.items()) if entry.removed]
        return [*(number for number, _ in gone), *(name for _, name in gone)]


def in_order(owner: str, slots: Iterable[Slot], *, first: int = 1, taken: Iterable[int] = ()) -> Numbering:
    """Give numbers without a lock file: what says a number has it, the others take the free ones in order."""
    slots = list(slots)
    numbering = Numbering()
    owners: dict[int, str] = {}
    for slot in slots:
        if slot.number is not None:
            if slot.number in owners:
                numbering.issues.append(
                    SchemaIssue(
                        f"{owner}.{slot.name}",
                        f"the number {slot.number} is {owners[slot.number]}'s",
                        f"a free number is {next(_free({*owners, *taken}, first))}",
                    )
                )
            owners.setdefault(slot.number, slot.name)
    free = _free({*owners, *taken}, first)
    for slot in slots:
        numbering.numbers[slot.name] = next(free) if slot.number is None else slot.number
    return numbering


def _free(taken: set[int], first: int) -> Iterator[int]:
    return (number for number in count(first) if number not in taken and number not in _OF_PROTOBUF)


def compared(
    owner: str, slots: Iterable[Slot], locked: Mapping[int, Entry], *, first: int = 1, kept: Iterable[int] = ()
) -> Numbering:
    """Give numbers by a lock file: what it holds stays, what is new takes one never used, what is gone is kept as such.

    `kept` are numbers that the model reserves itself.
    """
    slots = list(slots)
    numbering = Numbering(entries=dict(locked))
    numbers = {entry.name: number for number, entry in locked.items()}
    wanted = {slot.name for slot in slots}
    new: list[Slot] = []
    for slot in slots:
        number = numbers.get(slot.name)
        if number is None and slot.renamed_from in numbers and slot.renamed_from not in wanted:
            number = _rename(numbering, owner, slot, numbers[slot.renamed_from])
        if number is None:
            new.append(slot)
        else:
            _check(numbering, f"{owner}.{slot.name}", slot, number)
            numbering.numbers[slot.name] = number
    used = {*numbering.numbers.values()}
    for number, entry in locked.items():
        if number not in used and not entry.removed:
            numbering.entries[number] = Entry(entry.name, entry.type, removed=True)
            numbering.changes.append(
                SchemaIssue(f"{owner}.{entry.name}", f"removed: its number {number} and its name are kept from reuse")
            )
    for slot in new:
        _add(numbering, owner, slot, first, kept)
    return numbering


def _rename(numbering: Numbering, owner: str, slot: Slot, number: int) -> int:
    entry = numbering.entries[number]
    numbering.entries[number] = Entry(slot.name, entry.type, entry.removed)
    numbering.changes.append(SchemaIssue(f"{owner}.{slot.name}", f"renamed from {entry.name}, number {number}"))
    return number


def _check(numbering: Numbering, path: str, slot: Slot, number: int) -> None:
    """Refuse what would give the records that exist another meaning."""
    entry = numbering.entries[number]
    if entry.removed:
        numbering.issues.append(
            SchemaIssue(path, f"the name was removed with the number {number}", f"choose another name; {_REOPEN}")
        )
    elif entry.type != slot.type:
        numbering.issues.append(
            SchemaIssue(
                path,
                f"its type was {entry.type} and is {slot.type}",
                "give the field another name: it gets a number of its own; where old records may be read by the new "
                "type (int32 as int64, for instance), change the type in the lock file",
            )
        )
    if slot.number is not None and slot.number != number:
        numbering.issues.append(
            SchemaIssue(
                path,
                f"its number was {number} and is {slot.number}",
                f"give it its number {number} again, or another name",
            )
        )


def _add(numbering: Numbering, owner: str, slot: Slot, first: int, kept: Iterable[int]) -> None:
    path, entries = f"{owner}.{slot.name}", numbering.entries
    number = slot.number
    if number is None:
        number = next(_free(set(kept), max([first - 1, *entries]) + 1))
    elif number in entries:
        other = entries[number]
        what = "was removed" if other.removed else "is in use"
        gone = any(change.path == f"{owner}.{other.name}" for change in numbering.changes)
        hint = f'say renamed_from="{other.name}" if it is the same field' if gone else _REOPEN
        numbering.issues.append(
            SchemaIssue(path, f"the number {number} is {other.name}'s, which {what}", f"choose another number; {hint}")
        )
        return
    numbering.numbers[slot.name] = number
    entries[number] = Entry(slot.name, slot.type)
    numbering.changes.append(SchemaIssue(path, f"new, number {number}"))


# ── enums ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class EnumNames:
    """The names that an enum's members have in a schema; `zero` is the name for 0 where no member has it."""

    by_member: Mapping[Enum, str]
    zero: str | None


def enum_names(enum: type[Enum]) -> EnumNames:
    """Name an enum's values as the style guide does (https://protobuf.dev/programming-guides/style/#enums)."""
    prefix = f"{snake_case(enum.__name__).upper()}_"
    named = {
        member: member.name.upper() if member.name.upper().startswith(prefix) else prefix + member.name.upper()
        for member in enum
    }
    zero = f"{prefix}UNSPECIFIED"
    has_zero = zero in named.values() if not has_numbers(enum) else any(member.value == 0 for member in enum)
    return EnumNames(named, None if has_zero else zero)


def has_numbers(enum: type[Enum]) -> bool:
    """Tell whether an enum's own values can be its numbers."""
    return all(type(member.value) is int and member.value in _INT32 for member in enum)


def enum_slots(enum: type[Enum]) -> list[Slot]:
    """Give the values of an enum that need numbers, the one for 0 first."""
    names = enum_names(enum)
    if has_numbers(enum):
        slots = [Slot(name, number=int(member.value)) for member, name in names.by_member.items()]
    else:
        unspecified = f"{snake_case(enum.__name__).upper()}_UNSPECIFIED"
        slots = [Slot(name, number=0 if name == unspecified else None) for name in names.by_member.values()]
    if names.zero is not None:
        slots.append(Slot(names.zero, number=0))
    return sorted(slots, key=lambda slot: slot.number != 0)
