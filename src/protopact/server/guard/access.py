"""Who may do what: one table of needs, route by route, and roles that hold for the subjects of a pattern.

What stands nowhere is refused: a route without a line in the table, a subject without a grant.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from protopact.errors import ConfigError, ProtopactError, RegistryError
from protopact.registry import DEFAULT_CONTEXT, Subject, context_name
from protopact.server.decisions.terms import EVERYWHERE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from protopact.server.questions import Question

_EVERYWHERE = ":*:"
_FORM = "ROLE:PATTERN, for example reader:orders-* or writer::.eu:orders-* or admin:*"


class Role(IntEnum):
    """What somebody may do with a subject; each role may do what the ones before it may.

    A reader reads, looks up and checks compatibility; a writer registers and tags; an admin deletes and sets
    configs and modes.
    """

    READER = 1
    WRITER = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for the subjects whose names start with `prefix`, or for that one name if `exact`.

    `context` is the context that they are in, None for any.
    """

    role: Role
    context: str | None
    prefix: str
    exact: bool = False

    @classmethod
    def parse(cls, text: str) -> Grant:
        """Read `ROLE:PATTERN`; ConfigError says what is wrong with it.

        `orders-*` means the names of the default context that start so, `orders` that one name, `:.eu:orders-*`
        names of another context, `:.eu:*` all of it, `:*:orders-*` names in every context, and `*` everything.
        """
        name, separator, pattern = text.partition(":")
        if not separator or not pattern or name.upper() not in Role.__members__:
            raise ConfigError(f"{text!r} is no role", option="role", hint=f"write {_FORM}")
        role, exact = Role[name.upper()], not pattern.endswith("*")
        stem = pattern.removesuffix("*")
        if not stem:
            return cls(role, None, "")
        if stem == ":":
            raise ConfigError(f"{text!r} names no subjects", option="role", hint=f"write {_FORM}")
        if stem.startswith(_EVERYWHERE):
            return cls(role, None, stem.removeprefix(_EVERYWHERE), exact)
        try:
            subject = Subject.parse(stem)
        except ProtopactError as error:
            raise ConfigError(f"{text!r} names no subjects", option="role", hint=f"write {_FORM}") from error
        return cls(role, subject.context, subject.name, exact)

    def __str__(self) -> str:
        """Give the grant as `parse` reads it."""
        star = "" if self.exact else "*"
        if self.context is not None:
            shown = Subject(self.prefix, self.context).qualified or f":{self.context}:"
            return f"{self.role.name.lower()}:{shown}{star}"
        return f"{self.role.name.lower()}:{_EVERYWHERE + self.prefix if self.prefix or self.exact else ''}{star}"

    @property
    def is_total(self) -> bool:
        """Whether the grant holds for everything."""
        return self.context is None and not self.prefix and not self.exact

    def covers(self, subject: Subject) -> bool:
        """Whether the grant holds for a subject; an empty name stands for its whole context.

        What is set for every context needs a grant for everything.
        """
        if subject.context == EVERYWHERE.context:
            return self.is_total
        if self.context is not None and self.context != subject.context:
            return False
        return subject.name == self.prefix if self.exact else subject.name.startswith(self.prefix)


class Principal:
    """Somebody who asks: a name, and what it may do. Two are equal that have the same of both."""

    __slots__ = ("_everywhere", "grants", "name", "reads_everything")

    def __init__(self, name: str, grants: Iterable[Grant] = ()) -> None:
        """Keep the grants, and whether they let all be read."""
        self.name = name
        self.grants = tuple(grants)
        self._everywhere = max((grant.role for grant in self.grants if grant.is_total), default=None)
        self.reads_everything = self.covers_all(Role.READER)

    def __repr__(self) -> str:
        """Give the name and the roles."""
        return f"Principal({self.name!r}, {', '.join(map(str, self.grants))})"

    def may(self, role: Role, subject: Subject) -> bool:
        """Whether it has at least this role for a subject, or by an empty name for a whole context."""
        return self.covers_all(role) or any(grant.role >= role and grant.covers(subject) for grant in self.grants)

    def covers_all(self, role: Role) -> bool:
        """Whether it has at least this role for everything."""
        return self._everywhere is not None and self._everywhere >= role

    def has(self, role: Role) -> bool:
        """Whether it has at least this role for anything."""
        return any(grant.role >= role for grant in self.grants)


_ALL = Grant(Role.ADMIN, None, "")

LOCAL = Principal("anonymous", [_ALL])
"""Whoever asks a registry that asks nobody who they are: it may do everything."""

NOBODY = Principal("nobody")
"""Whoever did not say who they are where that is asked: it may do nothing."""


class Scope(Enum):
    """Of what a role must hold."""

    OPEN = "open to all, known or not"
    KNOWN = "open to all who are known"
    SOMETHING = "of anything: the answer shows only what the caller may see"
    SUBJECT = "of the path's subject"
    CONTEXT = "of all of the call's context"
    EVERYTHING = "of everything"


@dataclass(frozen=True, slots=True)
class Need:
    """What a route needs: a role, and of what."""

    role: Role
    scope: Scope


_OPEN = Need(Role.READER, Scope.OPEN)
_KNOWN = Need(Role.READER, Scope.KNOWN)
_READ_SOMETHING = Need(Role.READER, Scope.SOMETHING)
_WRITE_SOMETHING = Need(Role.WRITER, Scope.SOMETHING)
_READ = Need(Role.READER, Scope.SUBJECT)
_WRITE = Need(Role.WRITER, Scope.SUBJECT)
_RULE = Need(Role.ADMIN, Scope.SUBJECT)
_RULE_CONTEXT = Need(Role.ADMIN, Scope.CONTEXT)
_RULE_ALL = Need(Role.ADMIN, Scope.EVERYTHING)

NEEDS: Mapping[tuple[str, str], Need] = {
    ("GET", "/health/live"): _OPEN,
    ("GET", "/health/ready"): _OPEN,
    ("GET", "/"): _KNOWN,
    ("POST", "/"): _KNOWN,
    ("GET", "/metrics"): _KNOWN,
    ("GET", "/openapi.json"): _KNOWN,
    ("GET", "/v1/metadata/id"): _KNOWN,
    ("GET", "/v1/metadata/version"): _KNOWN,
    ("GET", "/v1/metadata/deployment"): _KNOWN,
    ("GET", "/schemas/types"): _KNOWN,
    ("GET", "/audit"): _RULE_ALL,
    ("GET", "/contexts"): _READ_SOMETHING,
    ("DELETE", "/contexts/{context}"): _RULE_CONTEXT,
    ("GET", "/schemas"): _READ_SOMETHING,
    ("GET", "/schemas/ids/{id}"): _READ_SOMETHING,
    ("GET", "/schemas/ids/{id}/schema"): _READ_SOMETHING,
    ("GET", "/schemas/ids/{id}/subjects"): _READ_SOMETHING,
    ("GET", "/schemas/ids/{id}/versions"): _READ_SOMETHING,
    ("GET", "/schemas/guids/{guid}"): _READ_SOMETHING,
    ("GET", "/schemas/guids/{guid}/ids"): _READ_SOMETHING,
    ("GET", "/subjects"): _READ_SOMETHING,
    ("POST", "/subjects/{subject}"): _READ,
    ("DELETE", "/subjects/{subject}"): _RULE,
    ("GET", "/subjects/{subject}/metadata"): _READ,
    ("GET", "/subjects/{subject}/versions"): _READ,
    ("POST", "/subjects/{subject}/versions"): _WRITE,
    ("GET", "/subjects/{subject}/versions/{version}"): _READ,
    ("DELETE", "/subjects/{subject}/versions/{version}"): _RULE,
    ("GET", "/subjects/{subject}/versions/{version}/schema"): _READ,
    ("GET", "/subjects/{subject}/versions/{version}/referencedby"): _READ,
    ("POST", "/subjects/{subject}/versions/{version}/tags"): _WRITE,
    ("POST", "/compatibility/subjects/{subject}/versions"): _READ,
    ("POST", "/compatibility/subjects/{subject}/versions/{version}"): _READ,
    ("GET", "/config"): _READ_SOMETHING,
    ("PUT", "/config"): _RULE_CONTEXT,
    ("DELETE", "/config"): _RULE_CONTEXT,
    ("GET", "/config/{subject}"): _READ,
    ("PUT", "/config/{subject}"): _RULE,
    ("DELETE", "/config/{subject}"): _RULE,
    ("GET", "/mode"): _READ_SOMETHING,
    ("PUT", "/mode"): _RULE_CONTEXT,
    ("DELETE", "/mode"): _RULE_CONTEXT,
    ("GET", "/catalog/v1/types/tagdefs"): _READ_SOMETHING,
    ("POST", "/catalog/v1/types/tagdefs"): _RULE_ALL,
    ("PUT", "/catalog/v1/types/tagdefs"): _RULE_ALL,
    ("GET", "/catalog/v1/types/tagdefs/{tag}"): _READ_SOMETHING,
    ("DELETE", "/catalog/v1/types/tagdefs/{tag}"): _RULE_ALL,
    ("POST", "/catalog/v1/entity/tags"): _WRITE_SOMETHING,
    ("PUT", "/catalog/v1/entity/tags"): _WRITE_SOMETHING,
    ("GET", "/catalog/v1/entity/type/{type}/name/{name}/tags"): _READ_SOMETHING,
    ("DELETE", "/catalog/v1/entity/type/{type}/name/{name}/tags/{tag}"): _WRITE_SOMETHING,
    ("GET", "/mode/{subject}"): _READ,
    ("PUT", "/mode/{subject}"): _RULE,
    ("DELETE", "/mode/{subject}"): _RULE,
}
"""What each route needs. A route that is not here is refused to everybody."""

OPEN_PATHS = frozenset(path for (_, path), need in NEEDS.items() if need.scope is Scope.OPEN)
"""The paths that nobody needs to be known for, exactly as they are sent."""


def check(principal: Principal, question: Question) -> Need:
    """Give what the call's route needs, if the principal has it; RegistryError 403 if not."""
    method = question.call.method
    need = NEEDS.get((method, question.path))
    if need is None or not _allows(principal, need, question):
        raise RegistryError(f"User is denied operation {method} on {_named(question)}", error_code=403)
    return need


def _allows(principal: Principal, need: Need, question: Question) -> bool:
    match need.scope:
        case Scope.OPEN:
            return True
        case Scope.KNOWN:
            return bool(principal.grants)
        case Scope.SOMETHING:
            return principal.has(need.role)
        case Scope.SUBJECT:
            return principal.may(need.role, question.subject)
        case Scope.CONTEXT:
            return principal.may(need.role, Subject("", _context(question)))
        case Scope.EVERYTHING:
            return principal.covers_all(need.role)


def _context(question: Question) -> str:
    """Give the context that a call is about: the path's, else the prefix's."""
    named = question.parts.get("context")
    return question.context if named is None else context_name(named)


def _named(question: Question) -> str:
    if "subject" in question.parts:
        return f"Subject: {question.subject}"
    context = _context(question)
    return question.path if context == DEFAULT_CONTEXT else f"{question.path} in {context}"
