"""Requests are read as kio reads them, in every version of the table; what is no request is refused with the reason."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, strategies as st
from kio.index import load_request_schema, load_response_schema
from kio.serial import entity_reader

from protopact.broker.announced import sifted
from protopact.broker.apis import APIS, refused_versions
from protopact.broker.codec import read_head, read_request, write_answer
from protopact.broker.messages.cluster import VersionsRequest
from protopact.errors import RefusedRequestError
from unit.broker.newer_messages import FLEXIBLE, KNOWN, request
from unit.broker.raw_client import read_answer, request_frame

VERSIONS = APIS[18]
EVERY_VERSION = [(api, version) for api in APIS.values() for version in range(api.least, api.most + 1)]
NAMES = [f"{api.name}-{version}" for api, version in EVERY_VERSION]


def versions_frame(version: int = 3) -> bytes:
    fields = {"client_software_name": "raw", "client_software_version": "1"} if version >= 3 else {}
    return request_frame(18, version, 7, **fields)[4:]


def test_the_head_of_a_request_says_which_it_is() -> None:
    head = read_head(versions_frame())
    assert (head.key, head.version, head.correlation_id) == (18, 3, 7)


def test_a_frame_without_a_whole_head_is_refused() -> None:
    with pytest.raises(RefusedRequestError, match="7 bytes has no header"):
        read_head(bytes(7))


def test_a_request_is_read_with_the_clients_name() -> None:
    assert read_request(versions_frame(), VERSIONS, 3) == ("raw", VersionsRequest("raw", "1"))
    assert read_request(versions_frame(0), VERSIONS, 0) == ("raw", VersionsRequest())


def test_a_request_that_is_cut_anywhere_is_refused() -> None:
    frame = versions_frame()
    for size in range(8, len(frame)):
        with pytest.raises(RefusedRequestError, match="ApiVersions"):
            read_request(frame[:size], VERSIONS, 3)


def test_bytes_behind_a_request_are_left_unread() -> None:
    """librdkafka 2.16 sends some behind its Metadata request of version 13."""
    assert read_request(versions_frame() + b"...", VERSIONS, 3) == read_request(versions_frame(), VERSIONS, 3)


@pytest.mark.parametrize(("api", "version"), EVERY_VERSION, ids=NAMES)
def test_every_version_of_the_table_is_one_that_kio_knows_both_ways(api: object, version: int) -> None:
    assert load_request_schema(api.key, version).__version__ == version
    assert load_response_schema(api.key, version).__version__ == version


@pytest.mark.parametrize("version", range(VERSIONS.least, VERSIONS.most + 1))
def test_an_answer_is_read_back_by_kio_as_it_was_meant(version: int) -> None:
    frame = write_answer(asyncio.run(refused_versions()), VERSIONS, version, 9)
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    answer = read_answer(frame[4:], 18, version)
    told = {each.api_key: (each.min_version, each.max_version) for each in answer.api_keys}
    assert told == {api.key: (api.least, api.most) for api in APIS.values()}


@given(st.sampled_from(EVERY_VERSION), st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_but_a_refusal(which: tuple[object, int], data: bytes) -> None:
    api, version = which
    frame = api.key.to_bytes(2, "big") + version.to_bytes(2, "big") + bytes(4) + data
    try:
        client_id, request = read_request(frame, api, version)
    except RefusedRequestError:
        return
    assert isinstance(client_id, str)
    assert isinstance(request, api.request)


@pytest.mark.parametrize(("key", "version"), FLEXIBLE)
def test_a_request_with_tagged_fields_that_are_not_known_is_read_as_without_them(key: int, version: int) -> None:
    further = {9: b"later", 2**31 - 1: b""}
    assert read_request(memoryview(request(key, version, further)), APIS[key], version) == read_request(
        memoryview(request(key, version)), APIS[key], version
    )


@given(st.sampled_from(KNOWN), st.data())
def test_no_request_that_was_changed_anywhere_raises_anything_but_a_refusal(
    which: tuple[int, int], data: st.DataObject
) -> None:
    """kio must end where the walk before it ended: elsewhere it would set aside what nobody counted."""
    frame = bytearray(request(*which, {9: b"later"}))
    for place, value in data.draw(
        st.dictionaries(st.integers(8, len(frame) - 1), st.integers(0, 255), max_size=4)
    ).items():
        frame[place] = value
    changed = memoryview(bytes(frame))
    schema = load_request_schema(*which)
    try:
        known = sifted(changed, schema)
        read_request(changed, APIS[which[0]], which[1])
    except RefusedRequestError:
        return
    _, header_size = entity_reader(schema.__header_schema__)(known, 0)
    _, size = entity_reader(schema)(known, header_size)
    assert header_size + size == len(known)
