"""`protopact.toml`: which subject holds which file or the file of which message, and how strictly it is watched."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from protopact.compat import Level, Policy
from protopact.errors import ConfigError, ProtopactError
from protopact.registry import Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FILE_NAME = "protopact.toml"
_OF_ALL = ("compatibility", "breaking_policy", "subjects")
_OF_A_SUBJECT = ("file", "message", "compatibility", "breaking_policy")


@dataclass(frozen=True, slots=True)
class SubjectRule:
    """A subject and what it is to hold: a file by its import path, the file of a message, or both, which must agree.

    `level` and `policy` are None where the registry's own count.
    """

    subject: str
    file: str | None = None
    message: str | None = None
    level: Level | None = None
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """The subjects of a directory; `level` and `policy` are those of imports that no rule names."""

    rules: tuple[SubjectRule, ...]
    level: Level | None = None
    policy: Policy | None = None


def load_project(path: Path) -> Project:
    """Read a `protopact.toml`; ConfigError that names the key for what it must not say."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        hint = 'it says which subject holds which file: [subjects] and below it "orders-value" = "shop/order.proto"'
        raise ConfigError(f"there is no file {path}", option="--config", hint=hint) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", option="--config") from error
    return _Reader(str(path)).project(said)


class _Reader:
    """Reads tables with the file's name and the key in every complaint."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def project(self, said: Mapping[str, object]) -> Project:
        self._check_keys("", said, _OF_ALL)
        level, policy = self._terms("", said)
        subjects = said.get("subjects", {})
        if not isinstance(subjects, dict) or not subjects:
            raise self._wrong("subjects", "must be a table that names subjects and their files")
        return Project(tuple(self._rule(name, value, level, policy) for name, value in subjects.items()), level, policy)

    def _rule(self, name: str, value: object, level: Level | None, policy: Policy | None) -> SubjectRule:
        place = f"subjects.{name}"
        table = {"file": value} if isinstance(value, str) else value
        if not isinstance(table, dict):
            raise self._wrong(place, "must be the path of a file, or a table")
        self._check_keys(f"{place}.", table, _OF_A_SUBJECT)
        if not table.keys() & {"file", "message"}:
            raise self._wrong(place, "must name a file or a message")
        try:
            subject = Subject.parse(name)
        except ProtopactError as error:
            raise self._wrong(place, str(error)) from error
        if not subject.name:
            raise self._wrong(place, "must have a name")
        own_level, own_policy = self._terms(f"{place}.", table)
        return SubjectRule(
            subject.qualified,
            self._text(f"{place}.", table, "file"),
            self._text(f"{place}.", table, "message"),
            own_level or level,
            policy if own_policy is None else own_policy,
        )

    def _terms(self, place: str, table: Mapping[str, object]) -> tuple[Level | None, Policy | None]:
        level, policy = self._text(place, table, "compatibility"), self._text(place, table, "breaking_policy")
        try:
            return (None if level is None else Level.parse(level)), (None if policy is None else Policy.parse(policy))
        except ConfigError as error:
            raise self._wrong(place.removesuffix("."), str(error), hint=error.hint) from error

    def _text(self, place: str, table: Mapping[str, object], name: str) -> str | None:
        value = table.get(name)
        if value is not None and not (value and isinstance(value, str)):
            raise self._wrong(f"{place}{name}", "must be a text")
        return value if isinstance(value, str) else None

    def _check_keys(self, place: str, table: Iterable[str], known: tuple[str, ...]) -> None:
        for name in table:
            if name not in known:
                near = get_close_matches(name.lower(), known, 1, 0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(known)}"
                raise self._wrong(f"{place}{name}", "is unknown", hint=hint)

    def _wrong(self, place: str, what: str, *, hint: str = "") -> ConfigError:
        said = f"{place} {what}" if place else what
        return ConfigError(f"{self._origin}: {said}", option=place or FILE_NAME, hint=hint)
