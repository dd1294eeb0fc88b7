"""What holds for a subject: its config and mode, each looked for in the subject, its context, and everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from protopact.compat import Policy
from protopact.registry import Metadata, RuleSet, Subject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from protopact.registry import JsonValue
    from protopact.server.store import Document, Reading

CONFIG, MODE = "config", "mode"
"""The kinds of document that say what holds."""

LEVEL_DEFAULT = "BACKWARD"
EVERYWHERE = Subject("", ".__GLOBAL")
"""The scope that is asked last, for every context."""

# With its own config, a subject still takes these from its context and from everywhere. Confluent's server takes no
# level: a subject that only has an alias would then lose the level that holds all around it.
_INHERITED = (
    "compatibilityLevel",
    "normalize",
    "validateFields",
    "validateNewSchemas",
    "validateRules",
    "compatibilityPolicy",
    "compatibilityGroup",
    "breakingPolicy",
)


class Mode(StrEnum):
    """What may be done in a scope."""

    READWRITE = "READWRITE"
    READONLY = "READONLY"
    READONLY_OVERRIDE = "READONLY_OVERRIDE"
    IMPORT = "IMPORT"
    FORWARD = "FORWARD"

    @property
    def is_read_only(self) -> bool:
        """Whether nothing may be changed."""
        return self in (Mode.READONLY, Mode.READONLY_OVERRIDE)

    @property
    def takes_ids(self) -> bool:
        """Whether schemas come with their ids, and unchecked, from another registry."""
        return self in (Mode.IMPORT, Mode.FORWARD)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one subject."""

    config: Document
    mode: Mode = Mode.READWRITE

    @property
    def level(self) -> str:
        """The compatibility level."""
        return str(self.config["compatibilityLevel"])

    @property
    def breaking_policy(self) -> str:
        """How strict compatibility is judged, where it is judged."""
        return str(self.config.get("breakingPolicy", "confluent"))

    @property
    def is_strict(self) -> bool:
        """Whether more is refused than Confluent's registry refuses: numbers that any live version used, for one."""
        return Policy.parse(self.breaking_policy) > Policy.CONFLUENT

    @property
    def takes_deleted_references(self) -> bool:
        """Whether a new schema may refer to soft-deleted versions."""
        return self.mode.takes_ids or not self.flag("validateNewSchemas", default=True)

    @property
    def group(self) -> str:
        """The metadata property whose value parts the versions that are compared; empty where all are."""
        return str(self.config.get("compatibilityGroup", ""))

    @property
    def looks_beyond_latest(self) -> bool:
        """Whether a schema is compared with more than the newest version."""
        return bool(self.group) or self.is_strict or self.level.endswith("_TRANSITIVE")

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Give a setting that is true or false."""
        return bool(self.config.get(name, default))

    def metadata(self, place: str) -> Metadata | None:
        """Give the `default` or the `override` metadata."""
        value = self.config.get(f"{place}Metadata")
        return None if value is None else Metadata.from_json(value)

    def rule_set(self, place: str) -> RuleSet | None:
        """Give the `default` or the `override` rules."""
        value = self.config.get(f"{place}RuleSet")
        return None if value is None else RuleSet.from_json(value)


_UNSET = Terms({"compatibilityLevel": LEVEL_DEFAULT})


def meant_subject(documents: Mapping[tuple[str, Subject], Document], subject: Subject) -> Subject:
    """Give the subject that a name stands for by its config, which may call it an alias."""
    target = documents.get((CONFIG, subject), {}).get("alias")
    return Subject.parse(str(target), context=subject.context) if target else subject


@lru_cache(maxsize=256)  # a call asks for those of its subject several times
def scopes_of(subject: Subject) -> Sequence[Subject]:
    """Give the scopes that are asked for a subject, or for a context by its empty name, the nearest first."""
    return tuple(dict.fromkeys((subject, Subject("", subject.context), EVERYWHERE)))


def read_terms(source: Reading, subject: Subject) -> Terms:
    """Read what holds for a subject or a context."""
    return terms_of(source.documents_at(scopes_of(subject)), subject)


def terms_of(documents: Mapping[tuple[str, Subject], Document], subject: Subject) -> Terms:
    """Give what holds for a subject or a context by the documents of its scopes."""
    if not documents:
        return _UNSET
    scopes = scopes_of(subject)
    return Terms(_config(documents, scopes), _mode(documents, scopes))


def _config(documents: Mapping[tuple[str, Subject], Document], scopes: Sequence[Subject]) -> Document:
    found = [documents[CONFIG, scope] for scope in scopes if (CONFIG, scope) in documents]
    config: dict[str, JsonValue] = dict(found[0]) if found else {}
    for wider in found[1:]:
        for name in _INHERITED:
            if name in wider:
                config.setdefault(name, wider[name])
    config.setdefault("compatibilityLevel", LEVEL_DEFAULT)
    return config


def _mode(documents: Mapping[tuple[str, Subject], Document], scopes: Sequence[Subject]) -> Mode:
    found = [Mode(str(documents[MODE, scope]["mode"])) for scope in scopes if (MODE, scope) in documents]
    if Mode.READONLY_OVERRIDE in found:
        return Mode.READONLY_OVERRIDE
    return found[0] if found else Mode.READWRITE
