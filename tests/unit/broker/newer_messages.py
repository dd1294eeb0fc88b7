"""Requests as a later Kafka might have them: by kio's classes and writers, with further tagged fields everywhere."""

from __future__ import annotations

from dataclasses import field, fields, is_dataclass, make_dataclass
from datetime import timedelta
from io import BytesIO
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_origin
from uuid import UUID

from kio.index import load_request_schema
from kio.serial import entity_writer

from protopact.broker.apis import APIS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kio.static.protocol import Entity

KNOWN = [(api.key, version) for api in APIS.values() for version in range(api.least, api.most + 1)]
FLEXIBLE = [(key, version) for key, version in KNOWN if load_request_schema(key, version).__flexible__]
VALUES: dict[str, object] = {
    "string": "ab",
    "bytes": b"xyz",
    "records": b"xyz",
    "uuid": UUID(int=7),
    "bool": True,
    "timedelta_i32": timedelta(seconds=1),
    "timedelta_i64": timedelta(seconds=1),
}


def filled(schema: type[Entity]) -> Any:
    """Give a message in which every list has two entries and no field its default."""
    values = {}
    for each in fields(schema):
        further = each.metadata.get("further")
        values[each.name] = value_for(each.type, each.metadata.get("kafka_type")) if further is None else further
    return schema(**values)


def value_for(kind: Any, kafka_type: str | None) -> object:
    plain = next((part for part in get_args(kind) if part is not NoneType), kind) if is_union(kind) else kind
    if get_origin(plain) is tuple:
        return (value_for(get_args(plain)[0], kafka_type),) * 2
    return filled(plain) if kafka_type is None else VALUES.get(kafka_type, 5)


def is_union(kind: Any) -> bool:
    return NoneType in get_args(kind)


def newer(schema: type[Entity], further: Mapping[int, bytes]) -> Any:
    """Give the class with further tagged fields in it and in all that it holds, of these numbers where free."""
    taken = {each.metadata["tag"] for each in fields(schema) if "tag" in each.metadata}
    changed = [
        (each.name, kind, field(default=each.default, kw_only=True, metadata=each.metadata))
        for each in fields(schema)
        if (kind := newer_kind(each.type, further)) is not each.type
    ]
    added = [
        (f"further_{tag}", bytes, field(kw_only=True, metadata={"kafka_type": "bytes", "tag": tag, "further": value}))
        for tag, value in further.items()
        if tag not in taken
    ]
    return make_dataclass(schema.__name__, [*changed, *added], bases=(schema,), frozen=True)


def newer_kind(kind: Any, further: Mapping[int, bytes]) -> Any:
    """Give the type with newer classes in it, or itself where there are none."""
    if isinstance(kind, type) and is_dataclass(kind):
        return newer(kind, further)
    parts = get_args(kind)
    changed = tuple(newer_kind(part, further) for part in parts)
    if all(one is other for one, other in zip(parts, changed, strict=True)):
        return kind
    return tuple[changed] if get_origin(kind) is tuple else changed[0] | None


def request(
    key: int,
    version: int,
    further: Mapping[int, bytes] | None = None,
    *,
    change: Callable[[Any], Any] = lambda message: message,
) -> bytes:
    """Give a frame without its length: header and message with all fields filled, and further tagged fields.

    `change` is given the message, and gives the one that is to be sent.
    """
    schema = load_request_schema(key, version)
    header = schema.__header_schema__
    if further and schema.__flexible__:
        schema, header = newer(schema, further), newer(header, further)
    head = {"request_api_key": key, "request_api_version": version, "correlation_id": 1, "client_id": "me"}
    head |= {each.name: each.metadata["further"] for each in fields(header) if "further" in each.metadata}
    frame = BytesIO()
    entity_writer(header)(frame, header(**head))
    entity_writer(schema)(frame, change(filled(schema)))
    return frame.getvalue()
