"""Lists that a request announces are counted before anything is set aside for them."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any, get_args, get_origin
from uuid import UUID

import pytest
from kio.index import load_request_schema
from kio.serial import entity_writer

from protopact.broker.announced import ENTRIES_MAX, check_announced
from protopact.broker.apis import APIS
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from kio.static.protocol import Entity

METADATA = 3
KNOWN = [(api.key, version) for api in APIS.values() for version in range(api.least, api.most + 1)]
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
    return schema(**{field.name: value_for(field.type, field.metadata.get("kafka_type")) for field in fields(schema)})


def value_for(kind: Any, kafka_type: str | None) -> object:
    plain = next((part for part in get_args(kind) if part is not type(None)), kind) if is_union(kind) else kind
    if get_origin(plain) is tuple:
        return (value_for(get_args(plain)[0], kafka_type),) * 2
    return filled(plain) if kafka_type is None else VALUES.get(kafka_type, 5)


def is_union(kind: Any) -> bool:
    return type(None) in get_args(kind)


def request(key: int, version: int) -> tuple[bytes, type[Entity]]:
    schema = load_request_schema(key, version)
    header = schema.__header_schema__
    frame = BytesIO()
    head = header(request_api_key=key, request_api_version=version, correlation_id=1, client_id="me")
    entity_writer(header)(frame, head)
    entity_writer(schema)(frame, filled(schema))
    return frame.getvalue(), schema


@pytest.mark.parametrize(("key", "version"), KNOWN)
def test_every_request_is_gone_through_to_its_end_and_refused_when_it_is_cut(key: int, version: int) -> None:
    frame, schema = request(key, version)
    assert check_announced(frame, schema) == len(frame)
    for cut in range(len(frame)):
        with pytest.raises(RefusedRequestError):
            check_announced(frame[:cut], schema)


@pytest.mark.parametrize("announced", [b"\xff\xff\xff\xff\x0f", b"\xff\xff\xff\xff\x07", b"\x10"])
def test_a_compact_list_that_the_frame_cannot_hold_is_refused(announced: bytes) -> None:
    frame = bytes(8) + b"\xff\xff" + b"\0" + announced
    with pytest.raises(RefusedRequestError, match="announces a list of"):
        check_announced(frame, load_request_schema(METADATA, 9))


def test_a_list_that_the_frame_cannot_hold_is_refused() -> None:
    frame = bytes(8) + b"\xff\xff" + b"\x7f\xff\xff\xff" + bytes(100)
    with pytest.raises(RefusedRequestError, match="announces a list of 2147483647 entries"):
        check_announced(frame, load_request_schema(METADATA, 5))


def test_more_entries_than_all_lists_may_have_are_refused() -> None:
    """Each would be an object of some hundred bytes."""
    schema = load_request_schema(METADATA, 5)

    def asking(entries: int) -> bytes:
        return bytes(8) + b"\xff\xff" + entries.to_bytes(4, "big") + b"\0\x01a" * entries + b"\0"

    assert check_announced(asking(ENTRIES_MAX), schema) == len(asking(ENTRIES_MAX))
    with pytest.raises(RefusedRequestError, match="more than 100000 entries"):
        check_announced(asking(ENTRIES_MAX + 1), schema)
