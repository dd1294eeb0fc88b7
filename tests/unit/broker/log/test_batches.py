from __future__ import annotations

from itertools import pairwise

import pytest
from aiokafka.record.default_records import DefaultRecordBatch

from protopact.broker.log import check_batches, place_batches, read_batch_headers
from protopact.errors import RefusedRequestError
from record_batches import CODECS, make_batch, with_crc, with_header

CORRUPT_MESSAGE, INVALID_TIMESTAMP, UNSUPPORTED_COMPRESSION_TYPE, INVALID_RECORD = 2, 32, 76, 87


@pytest.mark.parametrize("codec", CODECS)
def test_a_clients_batch_is_taken_whatever_its_codec(codec: str) -> None:
    (batch,) = check_batches(make_batch((5, 9, 7), codec=codec, size=100))
    assert (batch.compression, batch.record_count, batch.last_offset_delta) == (codec, 3, 2)
    assert (batch.base_timestamp_ms, batch.max_timestamp_ms, batch.log_append_time) == (5, 9, False)


def test_a_header_tells_of_producer_and_transaction() -> None:
    (batch,) = check_batches(make_batch(producer_id=7, epoch=2, sequence=40, transactional=True))
    assert (batch.producer_id, batch.producer_epoch, batch.base_sequence) == (7, 2, 40)
    assert (batch.is_transactional, batch.is_control) == (True, False)


REFUSED = {
    "nothing": (b"", INVALID_RECORD),
    "a header that is cut off": (make_batch()[:60], CORRUPT_MESSAGE),
    "magic 0": (with_header(make_batch(), magic=0), INVALID_RECORD),
    "magic 1, shorter than a header of today": (with_header(make_batch(), magic=1)[:34], INVALID_RECORD),
    "a length beyond the bytes": (with_header(make_batch(), length=10_000), CORRUPT_MESSAGE),
    "a length below a header": (with_header(make_batch(), length=48), CORRUPT_MESSAGE),
    "a negative length": (with_header(make_batch(), length=-1), CORRUPT_MESSAGE),
    "a flipped bit": (make_batch()[:-1] + b"\xff", CORRUPT_MESSAGE),
    "bytes behind the batch": (make_batch() + b"\x00", INVALID_RECORD),
    "two batches": (make_batch() + make_batch(), INVALID_RECORD),
    "an unknown codec": (with_header(make_batch(), attributes=5), UNSUPPORTED_COMPRESSION_TYPE),
    "a control batch": (with_header(make_batch(), attributes=0x20), INVALID_RECORD),
    "append time": (with_header(make_batch(), attributes=0x08), INVALID_TIMESTAMP),
    "no record": (with_header(make_batch(), record_count=0, last_offset_delta=-1), INVALID_RECORD),
    "more records than offsets": (with_header(make_batch(), record_count=2), INVALID_RECORD),
    "more offsets than records": (with_header(make_batch(), last_offset_delta=5), INVALID_RECORD),
    "a producer without a sequence": (make_batch(producer_id=7, epoch=0, sequence=-1), INVALID_RECORD),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_client_may_send_is_refused_with_kafkas_code(what: str) -> None:
    sent, code = REFUSED[what]
    with pytest.raises(RefusedRequestError) as refused:
        check_batches(sent)
    assert refused.value.error_code == code


@pytest.mark.parametrize("cut", range(1, len(make_batch())))
def test_a_batch_that_is_cut_off_anywhere_is_refused(cut: int) -> None:
    with pytest.raises(RefusedRequestError) as refused:
        check_batches(make_batch()[:cut])
    assert refused.value.error_code == CORRUPT_MESSAGE


@pytest.mark.parametrize("codec", CODECS)
def test_a_placed_batch_is_the_clients_but_for_offset_and_epoch(codec: str) -> None:
    sent = make_batch((5, 6), codec=codec)
    placed, (batch,) = place_batches(sent, 1_000_000_000_000, 3, None)
    assert (batch.base_offset, batch.last_offset, batch.next_offset) == (10**12, 10**12 + 1, 10**12 + 2)
    assert (batch.leader_epoch, batch.size_bytes) == (3, len(sent))
    assert placed[16:] == sent[16:]
    read = DefaultRecordBatch(placed)
    assert read.validate_crc()
    assert [record.offset for record in read] == [10**12, 10**12 + 1]


def test_batches_are_placed_one_behind_the_other() -> None:
    placed, batches = place_batches(make_batch((1, 2, 3)) + make_batch((4,)) + make_batch((5, 6)), 10, 0, None)
    assert [batch.base_offset for batch in batches] == [10, 13, 14]
    assert all(one.next_offset == two.base_offset for one, two in pairwise(batches))
    assert tuple(read_batch_headers(placed)) == batches


@pytest.mark.parametrize("codec", CODECS)
def test_the_time_of_the_append_is_every_records_and_the_crc_fits_it(codec: str) -> None:
    placed, (batch,) = place_batches(make_batch((5, 6), codec=codec), 0, 0, 777)
    assert (batch.log_append_time, batch.max_timestamp_ms, batch.base_timestamp_ms) == (True, 777, 5)
    read = DefaultRecordBatch(placed)
    assert read.validate_crc()
    assert [(record.timestamp, record.timestamp_type) for record in read] == [(777, 1), (777, 1)]
    assert tuple(read_batch_headers(placed)) == (batch,)


def test_headers_are_read_up_to_a_batch_that_is_cut_off() -> None:
    placed, batches = place_batches(make_batch() + make_batch(), 0, 0, None)
    assert tuple(read_batch_headers(memoryview(placed)[:-1])) == batches[:1]
    assert tuple(read_batch_headers(placed[: len(make_batch()) + 20])) == batches[:1]
    assert tuple(read_batch_headers(b"")) == ()


def test_the_crc_of_the_tests_is_that_of_the_builder() -> None:
    assert with_crc(make_batch()) == make_batch()
