"""★ Whether a schema may follow those before it: the level says who must read whom, the policy what counts as harm.

For each version that the level covers, newest first: compare in each of its directions, look for what a stricter
policy refuses besides, and stop at the first version that speaks against the candidate. A stricter policy then asks
all of history whether a number is taken that was used or reserved before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from protopact.compat.comparison import NO_REFERENCES, compare_shapes
from protopact.compat.levels import Direction, Level
from protopact.compat.readers import harms
from protopact.compat.rules import RULES, Policy
from protopact.compat.shapes import SchemaShape
from protopact.compat.steps import reuses, steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from protopact.compat.difference import Difference
    from protopact.compat.shapes import References
    from protopact.descriptor import FileSet

_OLD_SCHEMA_SHOWN_MAX = 10 * 1024


@dataclass(frozen=True, slots=True)
class VersionReport:
    """What one historic version says. `index` is its place in the history that was given, 0 is the newest.

    `backward` are the differences for the candidate as reader, `forward` for the version as reader, each empty unless
    the level asks for it; `steps` are what the policy refuses whoever reads.
    """

    index: int
    backward: tuple[Difference, ...] = ()
    forward: tuple[Difference, ...] = ()
    steps: tuple[Difference, ...] = ()

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All differences, compatible ones included."""
        return self.backward + self.forward + self.steps

    @property
    def compatible(self) -> bool:
        """Whether none of them is refused."""
        return not any(one.incompatible for one in self.differences)

    def messages(self) -> tuple[str, ...]:
        """Give the refused differences as a registry words them."""
        forward = (one.message(reader="old", writer="new") for one in self.forward if one.incompatible)
        others = (one.message() for one in self.backward + self.steps if one.incompatible)
        return (*forward, *others)


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on a candidate, with what every version that was looked at says, newest first."""

    level: Level
    policy: Policy
    versions: tuple[VersionReport, ...] = ()

    @property
    def compatible(self) -> bool:
        """Whether the candidate may follow."""
        return all(version.compatible for version in self.versions)

    @property
    def differences(self) -> tuple[tuple[Difference, ...], ...]:
        """The differences of each version that was looked at, compatible ones included."""
        return tuple(version.differences for version in self.versions)

    @property
    def incompatible(self) -> tuple[Difference, ...]:
        """The refused differences of all versions that were looked at."""
        return tuple(one for found in self.differences for one in found if one.incompatible)

    @property
    def refused_by(self) -> VersionReport | None:
        """The newest version that speaks against the candidate, or None."""
        return next((version for version in self.versions if not version.compatible), None)

    def messages(
        self, *, old_version: int | None = None, old_schema: str | None = None, validate_fields: bool = False
    ) -> tuple[str, ...]:
        """Give the entries of a registry's verbose answer, worded as Confluent's; none if compatible.

        `old_version` and `old_schema` are number and text of the version in `refused_by`; a text is cut at 10 KiB.
        As with Confluent, FULL names them only where the candidate cannot read the version.
        """
        refused_by = self.refused_by
        if refused_by is None:
            return ()
        closing = []
        silent = len(self.level.directions) > 1 and not any(
            one.incompatible for one in refused_by.backward + refused_by.steps
        )
        if old_version is not None and not silent:
            closing.append(f"{{oldSchemaVersion: {old_version}}}")
        if old_schema is not None and not silent:
            closing.append(_shown(old_schema))
        closing.append(f"{{validateFields: '{str(validate_fields).lower()}', compatibility: '{self.level}'}}")
        return (*refused_by.messages(), *closing)


def check(
    candidate: FileSet,
    history: Sequence[FileSet],
    level: Level | str,
    *,
    policy: Policy | str = Policy.CONFLUENT,
    candidate_references: References = NO_REFERENCES,
    history_references: Sequence[References] = (),
) -> Report:
    """Check a candidate against the versions before it, newest first, and give the report.

    The references say which subject and version imported files come from, by import path: see `compare`. ConfigError
    for a level or a policy that does not exist.
    """
    level, policy = Level.parse(level), Policy.parse(policy)
    if level is Level.NONE:
        return Report(level, policy)
    new = SchemaShape(candidate, candidate_references)
    old = [
        SchemaShape(file_set, references or NO_REFERENCES)
        for file_set, references in zip_longest(history, history_references[: len(history)])
    ]
    versions: dict[int, VersionReport] = {}
    for index, earlier in enumerate(old if level.transitive else old[:1]):
        versions[index] = _check_version(index, earlier, new, level, policy)
        if not versions[index].compatible:
            break
    if policy > Policy.CONFLUENT:
        for index, reuse in reuses(old, new):
            known = versions.get(index, VersionReport(index))
            versions[index] = replace(known, steps=(*known.steps, *_refused_steps([reuse], policy)))
    return Report(level, policy, tuple(version for _, version in sorted(versions.items())))


def _shown(old_schema: str) -> str:
    if len(old_schema) <= _OLD_SCHEMA_SHOWN_MAX:
        return f"{{oldSchema: '{old_schema}'}}"
    return f"{{oldSchema: <truncated> '{old_schema[:_OLD_SCHEMA_SHOWN_MAX]}...'}}"


def _check_version(index: int, old: SchemaShape, new: SchemaShape, level: Level, policy: Policy) -> VersionReport:
    backward = _harms(old, new, policy) if Direction.BACKWARD in level.directions else ()
    forward = _harms(new, old, policy) if Direction.FORWARD in level.directions else ()
    taken: tuple[Difference, ...] = ()
    if policy > Policy.CONFLUENT:
        taken = _refused_steps(chain(compare_shapes(old, new), steps(old, new)), policy)
    return VersionReport(index, backward, forward, taken)


def _harms(original: SchemaShape, update: SchemaShape, policy: Policy) -> tuple[Difference, ...]:
    """Give Confluent's differences with the policy's verdict, and those of ours that the policy refuses."""
    found = compare_shapes(original, update)
    if policy == Policy.CONFLUENT:
        return found
    judged = (_judged(one, refused=RULES[one.type].refuses(policy)) for one in found)
    ours = (_judged(one, refused=True) for one in harms(original, update) if RULES[one.type].refuses(policy))
    return tuple(dict.fromkeys(chain(judged, ours)))


def _refused_steps(found: Iterable[Difference], policy: Policy) -> tuple[Difference, ...]:
    refused = (_judged(one, refused=True) for one in found if RULES[one.type].refuses_step(policy))
    return tuple(dict.fromkeys(refused))


def _judged(one: Difference, *, refused: bool) -> Difference:
    return replace(one, incompatible=refused, reason=RULES[one.type].reason if refused else "")
