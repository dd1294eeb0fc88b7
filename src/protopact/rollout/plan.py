"""★ From what is wanted and what is held to the steps that lead from one to the other. Decides, and does nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from protopact.compat import Level, Policy, check, compare
from protopact.registry import Config
from protopact.rollout.held import READ_WRITE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from protopact.compat import Difference, Report
    from protopact.rollout.held import Held, HeldVersion
    from protopact.rollout.wanted import Wanted

_NOT_REGISTERED_YET = 0
_RECOMMENDED = (Level.BACKWARD_TRANSITIVE, Level.FULL_TRANSITIVE)
_WHY = {
    Level.NONE: "checks nothing",
    Level.BACKWARD: "looks at the newest version alone: a number that an older version used may come back as"
    " another type, and the records of that version are misread",
    Level.FORWARD: "does not ask whether new readers understand old records, and refuses a new message, which harms"
    " no reader",
    Level.FORWARD_TRANSITIVE: "does not ask whether new readers understand old records, and refuses a new message,"
    " which harms no reader",
    Level.FULL: "looks at the newest version alone, and refuses a new message, which harms no reader",
}


class Action(StrEnum):
    """What a step does. The last two are findings: they stop a rollout before it begins."""

    CREATE = "create"
    UPDATE = "update"
    CONFIGURE = "configure"
    UNCHANGED = "unchanged"
    INCOMPATIBLE = "incompatible"
    BLOCKED = "blocked"


_REGISTERING = (Action.CREATE, Action.UPDATE)
_FINDINGS = (Action.INCOMPATIBLE, Action.BLOCKED)


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done about one subject, and why.

    `level` and `policy` are those that it was judged by; `config` is what the registry is told first, None where
    that holds already. `version` is the one that holds the schema, None where there is none yet. `report` is the
    verdict, where there was something to compare with; `held_versions` are the version numbers of its history.
    """

    wanted: Wanted
    action: Action
    level: Level
    policy: Policy
    reasons: tuple[str, ...] = ()
    config: Config | None = None
    version: int | None = None
    report: Report | None = None

    @property
    def registers(self) -> bool:
        """Whether a version is added."""
        return self.action in _REGISTERING

    @property
    def is_finding(self) -> bool:
        """Whether it cannot be done."""
        return self.action in _FINDINGS


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps, imports before what imports them."""

    steps: tuple[Step, ...]

    @property
    def findings(self) -> tuple[Step, ...]:
        """The steps that cannot be done."""
        return tuple(step for step in self.steps if step.is_finding)

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.registers or step.config is not None)

    @property
    def advice(self) -> tuple[str, ...]:
        """What would make the subjects safer, a sentence for each level that is not recommended."""
        subjects = defaultdict(list)
        for step in self.steps:
            if step.level not in _RECOMMENDED:
                subjects[step.level].append(step.wanted.subject)
        return tuple(
            f"BACKWARD_TRANSITIVE is recommended for Protobuf; {level}, the level of {_listed(names)}, {_WHY[level]}"
            for level, names in subjects.items()
        )


def make_plan(found: Iterable[tuple[Wanted, Held]], *, sets_policies: bool) -> Plan:
    """Decide a step for each wanted schema; imports must come before what imports them.

    `sets_policies` says whether the registry keeps a breaking policy: otherwise it counts here alone.
    """
    steps: dict[str, Step] = {}
    for wanted, held in found:
        steps[wanted.subject] = _step(wanted, held, steps, sets_policies=sets_policies)
    return Plan(tuple(steps.values()))


def difference_words(difference: Difference) -> str:
    """Word a difference for people, with what shows it."""
    parts = [str(difference), difference.reason]
    if difference.example is not None:
        parts.append(str(difference.example))
    return ": ".join(part for part in parts if part)


def verdict_on(
    wanted: Wanted, history: Iterable[HeldVersion], level: Level, policy: Policy, versions: Mapping[str, int]
) -> Report:
    """Check a wanted schema against those versions, newest first, that are of its type.

    `versions` are those of the subjects that hold its imports, as far as they are registered.
    """
    comparable = [version for version in history if version.file_set is not None]
    return check(
        wanted.file_set,
        [version.file_set for version in comparable if version.file_set is not None],
        level,
        policy=policy,
        candidate_references={
            name: (subject, versions.get(subject, _NOT_REGISTERED_YET)) for name, subject in wanted.imports().items()
        },
        history_references=[version.references for version in comparable],
    )


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a subject is judged by, and what the registry is told of that first."""

    level: Level
    policy: Policy
    config: Config | None


def _step(wanted: Wanted, held: Held, before: Mapping[str, Step], *, sets_policies: bool) -> Step:
    policy = held.policy if wanted.policy is None else wanted.policy
    terms = _Terms(wanted.level or held.level, policy, _config(wanted, held, sets_policies=sets_policies))
    imports = [before[subject] for subject in wanted.imports().values()]
    blocking = [step for step in imports if step.is_finding]
    if blocking:
        names = _listed([step.wanted.subject for step in blocking])
        reasons: tuple[str, ...] = (f"imports {names}, which cannot be registered",)
        return Step(wanted, Action.BLOCKED, terms.level, policy, reasons)
    settings = _settings(held, terms.config)
    if held.same is not None:
        action = Action.UNCHANGED if terms.config is None else Action.CONFIGURE
        reasons = (*_older(held), *settings)
        return Step(wanted, action, terms.level, policy, reasons, terms.config, version=held.same)
    if held.mode != READ_WRITE:
        reasons = (f"the registry takes no schema here: the mode is {held.mode}",)
        return Step(wanted, Action.BLOCKED, terms.level, policy, reasons)
    if not held.versions:
        return Step(wanted, Action.CREATE, terms.level, policy, settings, terms.config)
    versions = {step.wanted.subject: step.version for step in imports if step.version is not None}
    return _judged(wanted, held, terms, versions)


def _judged(wanted: Wanted, held: Held, terms: _Terms, versions: Mapping[str, int]) -> Step:
    level, policy = terms.level, terms.policy
    looked_at = held.history if level.transitive else held.history[:1]
    foreign = [version.version for version in looked_at if version.file_set is None]
    report = verdict_on(wanted, held.history, level, policy, versions)
    if foreign and level is not Level.NONE:
        reasons: tuple[str, ...] = (f"version {foreign[0]} is a schema of another type",)
    elif not report.compatible:
        reasons = _refusals(held, report)
    else:
        reasons = (*_changes(wanted, held), *_settings(held, terms.config))
        return Step(wanted, Action.UPDATE, level, policy, reasons, terms.config, report=report)
    return Step(wanted, Action.INCOMPATIBLE, level, policy, reasons, report=report)


def _refusals(held: Held, report: Report) -> tuple[str, ...]:
    numbers = [version.version for version in held.history if version.file_set is not None]
    return tuple(
        f"version {numbers[version.index]}: {difference_words(difference)}"
        for version in report.versions
        for difference in version.differences
        if difference.incompatible
    )


def _changes(wanted: Wanted, held: Held) -> tuple[str, ...]:
    """Say what is new since the newest version."""
    if not held.history:
        return ("no version is of its compatibility group",)
    newest = held.history[0].file_set
    if newest is None:
        return ("the newest version is a schema of another type",)
    found = tuple(str(difference) for difference in compare(newest, wanted.file_set))
    return found or ("no type changes; the text or an import does",)


def _config(wanted: Wanted, held: Held, *, sets_policies: bool) -> Config | None:
    level = wanted.level if wanted.level not in {None, held.level} else None
    policy = wanted.policy if sets_policies and wanted.policy not in {None, held.policy} else None
    if level is None and policy is None:
        return None
    return Config(compatibility_level=level, breaking_policy=None if policy is None else policy.text)


def _settings(held: Held, config: Config | None) -> tuple[str, ...]:
    if config is None:
        return ()
    level, policy = config.compatibility_level, config.breaking_policy
    said = [f"compatibility {held.level} → {level}"] if level else []
    return (*said, *([f"breaking policy {held.policy.text} → {policy}"] if policy else []))


def _older(held: Held) -> tuple[str, ...]:
    newest = held.versions[-1]
    if held.same == newest:
        return ()
    return (f"version {held.same} holds it, and {newest} is the newest: registering it again would change nothing",)


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
