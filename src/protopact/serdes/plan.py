"""★ What is decided once per topic, or once per schema, so that a record costs little more than its payload.

Writing: topic → subject → the schema registered, looked up or chosen → its id and the message's place in it → prefix.
Reading: schema id, or GUID → the writer's file set → the message at the indexes → a closure from payload to value.

What needs the registry is a flow, for synchronous and asynchronous clients alike; the closures of `writing` and
`reading` do no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from protopact.client import Job
from protopact.descriptor import message_at, message_class, message_index
from protopact.errors import (
    DecodeError,
    EncodeError,
    FramingError,
    MessageNotFoundError,
    RegistryError,
    RuleError,
    SchemaError,
    SchemaNotFoundError,
    SubjectNotFoundError,
    TransportError,
    WrongTypeError,
)
from protopact.framing import encode_guid, encode_prefix
from protopact.registry import Subject
from protopact.schema import DescribedSchema, check_compatibility

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from protopact.client import FetchedSchema, Session
    from protopact.descriptor import FileSet
    from protopact.flow import Flow
    from protopact.registry import ContextId, RegisteredSchema, Rule
    from protopact.schema import ProtoSchema
    from protopact.serdes.options import Framing, WriteOptions
    from protopact.serdes.reading import Parse, Target

T = TypeVar("T")

_INDEXES_AT = 5
_GUID_INDEXES_AT = 17
_NOT_FOUND = 404
_SUBJECTS_NAMED_MAX = 3


class UnplannedError(WrongTypeError):
    """Something has to be asked first, and the closure that found out cannot wait; `flow` asks it."""

    def __init__(self, message: str, flow: Flow[object], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.flow = flow


# ── writing ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Written:
    """The schema that records name: its id, its GUID where the registry tells it, and its own file."""

    subject: str
    schema_id: int
    guid: str | None
    file: FileDescriptorProto

    def prefix(self, message_name: str, framing: Framing) -> bytes:
        """Give what names the schema and its message: the place of the message is the one in *this* file.

        WrongTypeError when the schema does not define the message.
        """
        try:
            indexes = message_index(self.file, message_name)
        except MessageNotFoundError as error:
            raise WrongTypeError(
                f"the schema with id {self.schema_id} of {self.subject!r} defines no {message_name}", hint=error.hint
            ) from error
        if framing == "confluent":
            return encode_prefix(self.schema_id, indexes)
        if self.guid is None:
            raise EncodeError(
                f"the registry does not tell the GUID of the schema with id {self.schema_id}",
                hint="registries tell it since Confluent's 8.0; use framing='confluent'",
            )
        return encode_guid(self.guid, indexes)


def fetch_written(
    session: Session, subject: str, schema: ProtoSchema, options: WriteOptions, *, again: bool = False
) -> Flow[Written]:
    """Find the schema that a subject's records will name.

    By default the given one, registered with its imports or only looked up (SchemaNotFoundError, SubjectNotFoundError
    when it is not there); else the latest version, the latest with some metadata, or the one of an id, which must read
    what the given one writes (WrongTypeError). RuleError when the schema has rules for writing, which are not run here.
    The registry's refusals (IncompatibleSchemaError, InvalidSchemaError).
    """
    if options.use_schema_id is not None:
        found = yield from session.once(
            session.get_schema_by_id(options.use_schema_id, subject, text_format=None, find_tags=())
        )
        return (yield from _chosen(session, subject, schema, found, check=options.check_compatible))
    if options.expires:
        found = yield from _fetch_latest(session, subject, options, again=again)
        return (yield from _chosen(session, subject, schema, found, check=options.check_compatible))
    found = yield from _fetch_own(session, subject, schema, options)
    yield from _check_own_rules(session, subject, found)
    schema_id, file = _id_of(found, subject), schema.file_set.root_file
    if options.normalize or (found.schema and found.schema != schema.to_schema_string()):
        # The registry keeps other words than ours: only its own file tells where the message stands.
        file = (yield from session.once(session.fetch_file_set(schema_id, subject))).root_file
    return Written(subject, schema_id, found.guid, file)


def _fetch_own(session: Session, subject: str, schema: ProtoSchema, options: WriteOptions) -> Flow[RegisteredSchema]:
    normalize, name_import = options.normalize, options.name_import
    if options.auto_register:
        return (
            yield from session.once(
                session.register(
                    subject,
                    schema,
                    references=None,
                    metadata=None,
                    rule_set=None,
                    normalize=normalize,
                    name_import=name_import,
                )
            )
        )
    job = session.lookup(subject, schema, references=None, normalize=normalize, deleted=False, name_import=name_import)
    try:
        return (yield from session.once(job))
    except (SchemaNotFoundError, SubjectNotFoundError) as error:
        error.hint = error.hint or "register the schema first, or use auto_register=True"
        raise


def _fetch_latest(session: Session, subject: str, options: WriteOptions, *, again: bool) -> Flow[RegisteredSchema]:
    """Fetch the latest version; `again`, not what the client remembers of it."""
    properties = options.use_latest_with_metadata
    if properties is None:
        job = session.get_version(subject, "latest", deleted=False, text_format=None, find_tags=())
    else:
        asked = session.get_latest_with_metadata(subject, dict(properties), deleted=False)
        job = Job(asked.flow, session.latest, (Subject.parse(subject).qualified, properties))
    if again:
        session.latest.drop(job.key)
    return (yield from session.once(job))


def _chosen(
    session: Session, subject: str, schema: ProtoSchema, found: RegisteredSchema, *, check: bool
) -> Flow[Written]:
    _check_rules(found, subject)
    schema_id = _id_of(found, subject)
    file_set = yield from session.once(session.fetch_file_set(schema_id, subject))
    if check:
        _check_reads(file_set, schema, f"the schema with id {schema_id} of {subject!r}")
    return Written(subject, schema_id, found.guid, file_set.root_file)


def _check_rules(found: RegisteredSchema, subject: str) -> None:
    """Refuse a schema whose rules want something done to what is written, such as encryption: it would not be done."""
    rules = () if found.rule_set is None else found.rule_set.for_writing()
    if rules:
        raise RuleError(
            f"the schema of {subject!r} has rules for writing ({_named(rules)}), which this serializer does not run",
            hint="records without them could hold in clear what the rules encrypt",
        )


def _named(rules: Iterable[Rule]) -> str:
    return ", ".join(rule.label for rule in rules)


def _check_own_rules(session: Session, subject: str, found: RegisteredSchema) -> Flow[None]:
    """Refuse a schema of our own likewise: it may have been registered with rules, or got those of the version before.

    Registries up to Confluent's 7.4 answer a registration by the id alone, and are asked for the rest.
    """
    if found.version is None:
        job = session.get_schema_by_id(_id_of(found, subject), subject, text_format=None, find_tags=())
        found = yield from session.once(job)
    _check_rules(found, subject)


def _check_reads(reader: FileSet, schema: ProtoSchema, what: str) -> None:
    root = DescribedSchema(reader, schema.name) if _defines(reader, schema.name) else None
    if root is None:
        raise WrongTypeError(f"{what} defines no {schema.name}", hint="is it the subject of another message?")
    report = check_compatibility(root, schema)
    if not report.compatible:
        reasons = "; ".join(message for version in report.versions for message in version.messages()[:3])
        raise WrongTypeError(
            f"{what} cannot read what is written as {schema.file_name} says: {reasons}",
            hint="write with the newer schema, or switch the check off by check_compatible=False",
        )


def _defines(file_set: FileSet, message_name: str) -> bool:
    try:
        message_index(file_set.root_file, message_name)
    except MessageNotFoundError:
        return False
    return True


def _id_of(found: RegisteredSchema, subject: str) -> int:
    if found.id is None:
        raise RegistryError(f"the registry does not tell the id of the schema under {subject!r}")
    return found.id


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def fetch_parse(
    session: Session, schema_id: int, indexes: Sequence[int], target: Target[T], place: str
) -> Flow[Parse[T]]:
    """Fetch the writer's schema by id and give the closure that reads its message at `indexes`.

    DecodeError for an id that the registry does not know or a schema that cannot be used, FramingError for indexes that
    lead nowhere, WrongTypeError when the writer's message is not the one wanted. A registry that does not answer raises
    TransportError, or its own RegistryError: the record may be good. For a schema with rules for reading, which are not
    run here, it is a closure that raises RuleError, unless the target is to ignore them.
    """
    what = f"schema id {schema_id}"
    fetch = session.once(session.fetch_schema(schema_id, None))
    return (yield from _parse_of(session, fetch, indexes, target, place, what=what, indexes_at=_INDEXES_AT))


def fetch_parse_by_guid(
    session: Session, guid: str, indexes: Sequence[int], target: Target[T], place: str
) -> Flow[Parse[T]]:
    """Fetch the writer's schema by GUID and give the closure that reads its message; raises as `fetch_parse`."""
    what = f"schema GUID {guid}"
    fetch = session.once(Job(lambda: _fetch_by_guid(session, guid), session.file_sets, guid))
    return (yield from _parse_of(session, fetch, indexes, target, place, what=what, indexes_at=_GUID_INDEXES_AT))


def fetch_id(session: Session, guid: str) -> Flow[int]:
    """Ask which id a GUID's schema has; SchemaNotFoundError when the registry does not know it."""
    return (yield from _fetch_place(session, guid)).id


def _fetch_place(session: Session, guid: str) -> Flow[ContextId]:
    places = yield from session.once(session.get_ids_for_guid(guid))
    if not places:
        raise SchemaNotFoundError(f"there is no schema GUID {guid}")
    return places[0]


def _fetch_by_guid(session: Session, guid: str) -> Flow[FetchedSchema]:
    # The same content in several contexts has the same references by content: any of them will do.
    first = yield from _fetch_place(session, guid)
    return (yield from session.once(session.fetch_schema(first.id, _anything_in(first.context))))


def _anything_in(context: str) -> str | None:
    """Give what stands for a context where a subject is asked for."""
    return None if context == "." else Subject("", context).qualified


def _parse_of(
    session: Session,
    fetch: Flow[FetchedSchema],
    indexes: Sequence[int],
    target: Target[T],
    place: str,
    *,
    what: str,
    indexes_at: int,
) -> Flow[Parse[T]]:
    try:
        found = yield from fetch
        file_set = found.file_set
        full_name = message_at(file_set.root_file, indexes)
        parse = target.parse(full_name, lambda: message_class(file_set, full_name), f"{place} ({what})")
    except MessageNotFoundError as error:
        raise FramingError(f"{place}: {what}: {error}", offset=indexes_at) from error
    except RegistryError as error:
        if error.status != _NOT_FOUND:
            raise
        raise DecodeError(
            f"{place}: the registry knows no schema with {what.removeprefix('schema ')}",
            hint="was the record written with another registry?",
        ) from error
    except (SchemaError, RecursionError) as error:
        raise DecodeError(f"{place}: the schema with {what.removeprefix('schema ')} cannot be used: {error}") from error
    rules = () if target.ignores_rules or found.rule_set is None else found.rule_set.for_reading()
    return (yield from _refusal(session, found, rules)) if rules else parse


def _refusal(session: Session, found: FetchedSchema, rules: Sequence[Rule]) -> Flow[Parse[T]]:
    """Give what stands for the closure where rules would have to be run, so that nothing is asked for each record."""
    subjects = yield from _fetch_holders(session, found)
    whose = f" of {', '.join(map(repr, subjects))}" if subjects else ""
    text = f"the schema with id {found.id}{whose} has rules for reading ({_named(rules)})"

    def parse(payload: bytes) -> T:
        del payload
        raise RuleError(
            f"{text}, which this deserializer does not run",
            hint="rules='ignore' of a protopact.Deserializer gives what was written, such as fields still encrypted",
        )

    return parse


def _fetch_holders(session: Session, found: FetchedSchema) -> Flow[Sequence[str]]:
    """Ask which subjects hold a schema, for the words of an error; none where that is not told."""
    job = session.get_subjects_for_schema(found.id, _anything_in(found.context), deleted=False, offset=0, limit=None)
    try:
        return (yield from session.once(job))[:_SUBJECTS_NAMED_MAX]
    except (RegistryError, TransportError):
        return ()
