"""What a registry holds of the subjects that are wanted: asked for, never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from protopact.compat import Level, Policy
from protopact.errors import RegistryError, SchemaNotFoundError, SubjectNotFoundError
from protopact.registry import PROTOBUF, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from protopact.client import SchemaRegistryClient
    from protopact.descriptor import FileSet
    from protopact.registry import Config
    from protopact.rollout.wanted import Wanted

READ_WRITE = "READWRITE"
"""The mode in which schemas can be registered."""

_OURS = "protopact"
_LEVEL_WHERE_NONE_IS_SAID = Level.BACKWARD


@dataclass(frozen=True, slots=True)
class HeldVersion:
    """A version of a subject; `file_set` is None for a schema of another type.

    `references` says by import path which subject and version its imports are held by; `properties` are those of its
    metadata.
    """

    version: int
    id: int | None
    file_set: FileSet | None
    references: Mapping[str, tuple[str, int]]
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """What a subject holds, and the level and policy that its registry checks it by.

    `versions` are its live version numbers, ascending; `same` is the one that is the wanted schema already, if one
    is; `history` are those that a new schema is compared with, newest first. `mode` says what may be done there, such
    as `READONLY`.
    """

    level: Level
    policy: Policy
    versions: tuple[int, ...] = ()
    same: int | None = None
    history: tuple[HeldVersion, ...] = ()
    mode: str = READ_WRITE


def fetch_held(client: SchemaRegistryClient, wanted: Iterable[Wanted]) -> Iterator[tuple[Wanted, Held]]:
    """Ask a registry for what it holds of each wanted schema, one after the other, imports first.

    RegistryError and TransportError.
    """
    same: dict[str, int] = {}
    for each in wanted:
        held = _fetch(client, each, same)
        if held.same is not None:
            same[each.subject] = held.same
        yield each, held


def fetch_versions(client: SchemaRegistryClient, subject: str, numbers: Iterable[int]) -> tuple[HeldVersion, ...]:
    """Fetch versions of a subject with all that they import, in the order given; VersionNotFoundError."""
    return tuple(_version(client, subject, number) for number in numbers)


def keeps_policies(client: SchemaRegistryClient) -> bool:
    """Say whether a registry keeps the breaking policy of a subject, as protopact's does and no other."""
    try:
        return client.get_server_id().registry_cluster == _OURS
    except RegistryError:
        return False


def _fetch(client: SchemaRegistryClient, wanted: Wanted, same: Mapping[str, int]) -> Held:
    config = client.get_config(wanted.subject, default_to_global=True)
    level = Level.parse(config.compatibility_level or _LEVEL_WHERE_NONE_IS_SAID)
    policy = Policy.parse(config.breaking_policy or Policy.CONFLUENT)
    versions = _live_versions(client, wanted.subject)
    if not versions:
        return Held(level, policy, mode=_mode(client, wanted.subject))
    found = _find_same(client, wanted, versions, same)
    if found is not None:
        return Held(level, policy, versions, found)
    needs_all = (wanted.level or level).transitive or (policy if wanted.policy is None else wanted.policy) > 0
    numbers = versions[::-1] if needs_all or config.compatibility_group else versions[-1:]
    history = _compared(fetch_versions(client, wanted.subject, numbers), config)
    return Held(level, policy, versions, None, history, _mode(client, wanted.subject))


def _compared(history: tuple[HeldVersion, ...], config: Config) -> tuple[HeldVersion, ...]:
    """Give the versions that a new one is compared with, where a metadata property parts them into groups.

    The new one has the newest one's metadata, upon the config's defaults and under its overrides.
    """
    group = config.compatibility_group
    if not group:
        return history
    default, override = (
        {} if metadata is None else metadata.properties
        for metadata in (config.default_metadata, config.override_metadata)
    )
    own = {**default, **history[0].properties, **override}.get(group)
    return tuple(version for version in history if version.properties.get(group) == own)


def _mode(client: SchemaRegistryClient, subject: str) -> str:
    try:
        return client.get_mode(subject, default_to_global=True) or READ_WRITE
    except RegistryError:  # not every registry has modes
        return READ_WRITE


def _live_versions(client: SchemaRegistryClient, subject: str) -> tuple[int, ...]:
    try:
        return tuple(client.get_versions(subject))
    except SubjectNotFoundError:
        return ()


def _find_same(
    client: SchemaRegistryClient, wanted: Wanted, versions: tuple[int, ...], same: Mapping[str, int]
) -> int | None:
    """Find the version that is the wanted schema; none can be where an import is new."""
    if not all(subject in same for subject in wanted.imports().values()):
        return None
    try:
        found = client.lookup(wanted.subject, wanted.text, references=wanted.references(same))
    except (SubjectNotFoundError, SchemaNotFoundError):
        return None
    # A registry may look for an unqualified subject in every context.
    is_here = found.version in versions and Subject.parse(found.subject or "") == Subject.parse(wanted.subject)
    return found.version if is_here else None


def _version(client: SchemaRegistryClient, subject: str, number: int) -> HeldVersion:
    found = client.get_version(subject, number)
    context = Subject.parse(subject).context
    references = {
        reference.name: (Subject.parse(reference.subject, context=context).qualified, reference.version)
        for reference in found.references
    }
    is_ours = found.schema_type == PROTOBUF and found.id is not None
    file_set = client.fetch_file_set(found.id or 0, subject=subject) if is_ours else None
    properties = found.metadata.properties if found.metadata is not None else {}
    return HeldVersion(found.version or number, found.id, file_set, references, properties)
