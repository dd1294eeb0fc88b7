"""What registering a schema means: decided over what was read, without a store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from protopact.registry import Metadata, Problem
from protopact.server.decisions.contracts import merged_metadata, merged_rule_set
from protopact.server.decisions.terms import Mode, Terms
from protopact.server.decisions.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from protopact.errors import RegistryError
    from protopact.registry import RuleSet, SchemaRequest, Subject
    from protopact.server.decisions.draft import Draft
    from protopact.server.store import Content, StoredVersion

_VERSION_PROPERTY = "confluent:version"
_COMMON = Terms({})
_LAYERS = frozenset({"defaultMetadata", "overrideMetadata", "defaultRuleSet", "overrideRuleSet"})


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a subject when a draft comes.

    `latest` is its newest live version, `last_version` its highest number, soft-deleted ones counted, `same_text`
    its versions with the draft's text, newest first, and `faded` those of them that are soft-deleted. For a draft
    that comes with an id and a version, `id_guid` is the content hash that the id stands for, and `occupant` the
    version that has the number.
    """

    latest: StoredVersion | None
    last_version: int
    same_text: Sequence[StoredVersion]
    faded: Sequence[StoredVersion] = ()
    id_guid: str | None = None
    occupant: StoredVersion | None = None


@dataclass(frozen=True, slots=True)
class Addition:
    """The decision to add a version, under a given id or the next one."""

    version: int
    content: Content
    schema_id: int | None = None


def find_known(draft: Draft, history: History, request: SchemaRequest, terms: Terms = _COMMON) -> StoredVersion | None:
    """Find the version that a request asks for again, whatever the mode; tags and defaults ask for a closer look."""
    if _has_layers(terms) or request.schema_tags_to_add or request.schema_tags_to_remove:
        return None
    return _find_again(draft, history, request)


def decide(
    draft: Draft,
    history: History,
    request: SchemaRequest,
    terms: Terms = _COMMON,
    *,
    judge: Callable[[Draft], Verdict] = lambda _draft: Verdict(),
) -> StoredVersion | Addition:
    """Decide what registering a draft means for a subject: a version that it has, or one more.

    IncompatibleSchemaError (409) where the judge speaks against it, InvalidSchemaError (42201) for a version that is
    not the next, OperationNotPermittedError (42205) for an id that stands for something else.
    """
    if terms.mode is Mode.IMPORT and given(request.id):
        return _imported(draft, history, request)
    next_version = history.last_version + 1
    meant = meant_by(draft, history.latest, terms)
    kept = _with_version_property(meant, request, next_version)
    content = kept.content()
    for version in history.same_text:
        if version.schema.content.guid == content.guid:
            return version
    again = _find_again(meant if _has_layers(terms) else draft, history, request)
    if again is not None:
        return again
    verdict = judge(kept)
    if not verdict.compatible:
        subject = history.latest.subject if history.latest else ""
        raise Problem.INCOMPATIBLE.error(subject=subject, details=", ".join(verdict.messages))
    if given(request.version) not in (None, next_version):
        raise Problem.INVALID_SCHEMA.error(reason="Version is not one more than previous version")
    return Addition(next_version, content, _free_id(content, history, request))


def _imported(draft: Draft, history: History, request: SchemaRequest) -> StoredVersion | Addition:
    """Decide on a schema that comes with its id, and perhaps its version, from another registry."""
    content = draft.content()
    schema_id = _free_id(content, history, request)
    number = given(request.version)
    if history.occupant is not None:
        same = history.occupant.schema
        if (same.id, same.content.guid) != (schema_id, content.guid):
            raise Problem.NOT_PERMITTED.error(
                reason=f"Overwrite version {number} of subject {history.occupant.subject} is not permitted."
            )
        return history.occupant
    for version in history.same_text if number is None else ():
        if (version.schema.id, version.schema.content.guid) == (schema_id, content.guid):
            return version
    return Addition(number or history.last_version + 1, content, schema_id)


def _free_id(content: Content, history: History, request: SchemaRequest) -> int | None:
    """Give the wanted id, if any; OperationNotPermittedError (42205) when it stands, or stood, for something else."""
    schema_id = given(request.id)
    if schema_id is not None and history.id_guid not in (None, content.guid):
        raise Problem.NOT_PERMITTED.error(reason=f"Overwrite new schema with id {schema_id} is not permitted.")
    return schema_id


def check_mode(subject: Subject, request: SchemaRequest, mode: Mode) -> None:
    """Refuse what the mode forbids: OperationNotPermittedError (42205)."""
    if mode.is_read_only:
        raise read_only(subject)
    if given(request.id):
        if not mode.takes_ids:
            raise Problem.NOT_PERMITTED.error(reason=f"Subject {subject} is not in import mode")
    elif mode is not Mode.READWRITE:
        raise Problem.NOT_PERMITTED.error(reason=f"Subject {subject} is not in read-write mode")


def read_only(subject: Subject) -> RegistryError:
    """Give the refusal of a change where the mode lets nothing be changed."""
    return Problem.NOT_PERMITTED.error(reason=f"Subject {subject} is in read-only mode")


def find_equal(draft: Draft, history: History) -> StoredVersion | None:
    """Find the version that holds a draft: by content hash, else by meaning."""
    if not history.same_text:
        return None
    for meant in (draft, _inheriting(draft, history.latest)):
        guid = meant.guid
        for version in history.same_text:
            if version.schema.content.guid == guid:
                return version
        for version in history.same_text:
            if _is_equivalent(meant, version.schema.content):
                return version
    return None


def _find_again(draft: Draft, history: History, request: SchemaRequest) -> StoredVersion | None:
    """Find the version that a request asks for again, under the number and the id that it names, if it names any.

    A client whose answer was lost sends a request that names its version a second time.
    """
    number = given(request.version)
    if number is not None:
        history = replace(history, same_text=[version for version in history.same_text if version.version == number])
    known = find_equal(draft, history)
    return known if known is not None and request.id in (None, known.schema.id) else None


def meant_by(draft: Draft, latest: StoredVersion | None, terms: Terms) -> Draft:
    """Give a draft with what it inherits, upon the config's defaults and under its overrides."""
    own = _inheriting(draft, latest)
    if not _has_layers(terms):
        return own
    return replace(
        own,
        metadata=merged_metadata(terms.metadata("default"), own.metadata, terms.metadata("override")),
        rule_set=merged_rule_set(terms.rule_set("default"), own.rule_set, terms.rule_set("override")),
    )


def _has_layers(terms: Terms) -> bool:
    """Whether the config adds to what schemas say."""
    return not _LAYERS.isdisjoint(terms.config)


def _is_equivalent(draft: Draft, content: Content) -> bool:
    """Whether two schemas of equal text mean the same: a draft without references takes those of the other."""
    return (
        (draft.references == content.references or not draft.references)
        and _without_version_property(draft.metadata) == _without_version_property(content.metadata)
        and draft.rule_set == content.rule_set
    )


def _inheriting(draft: Draft, latest: StoredVersion | None) -> Draft:
    """Give a draft with the metadata and rules of the newest version, where it has none of its own."""
    if latest is None or (draft.metadata is not None and draft.rule_set is not None):
        return draft
    metadata: Metadata | None = latest.schema.content.metadata
    rule_set: RuleSet | None = latest.schema.content.rule_set
    return replace(
        draft,
        metadata=metadata if draft.metadata is None else draft.metadata,
        rule_set=rule_set if draft.rule_set is None else draft.rule_set,
    )


def _with_version_property(draft: Draft, request: SchemaRequest, version: int) -> Draft:
    """Set the property that tells the version, where it is asked for or there already."""
    metadata = draft.metadata or Metadata()
    if not request.version and _VERSION_PROPERTY not in metadata.properties:
        return draft
    properties = {**metadata.properties, _VERSION_PROPERTY: str(version)}
    return replace(draft, metadata=replace(metadata, properties=properties))


def _without_version_property(metadata: Metadata | None) -> Metadata | None:
    if metadata is None or _VERSION_PROPERTY not in metadata.properties:
        return metadata
    rest = {name: value for name, value in metadata.properties.items() if name != _VERSION_PROPERTY}
    bare = replace(metadata, properties=rest)
    return None if bare == Metadata() else bare


def given(number: int | None) -> int | None:
    """Give the id or version that a request names; 0 and -1 name none."""
    return number if number is not None and number > 0 else None
