from __future__ import annotations

import cramjam
import pytest

from protopact.broker.log import find_record_by_time, place_batches
from protopact.broker.log.records import RECORDS_BYTES_MAX
from protopact.errors import RefusedRequestError
from record_batches import CODECS, make_batch, with_header

TIMES = (1000, 1005, 1003, 1010)


def recoded(codec: str, records: bytes) -> bytes:
    """Give the batch of TIMES with its records as another client would write them."""
    plain = make_batch(TIMES)
    return with_header(plain[:61] + records, attributes=CODECS[codec], length=49 + len(records))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    ("timestamp_ms", "found"),
    [(0, (20, 1000)), (1001, (21, 1005)), (1005, (21, 1005)), (1006, (23, 1010)), (1010, (23, 1010)), (1011, None)],
)
def test_the_first_record_of_a_time_or_later_is_found(
    codec: str, timestamp_ms: int, found: tuple[int, int] | None
) -> None:
    placed, _ = place_batches(make_batch(TIMES, codec=codec), 20, 0, None)
    assert find_record_by_time(placed, timestamp_ms) == found


def test_records_before_an_offset_do_not_count() -> None:
    placed, _ = place_batches(make_batch(TIMES), 20, 0, None)
    assert find_record_by_time(placed, 1000, offset_min=22) == (22, 1003)
    assert find_record_by_time(placed, 1000, offset_min=24) is None


def test_all_records_of_a_batch_with_append_time_have_that_time() -> None:
    placed, _ = place_batches(make_batch(TIMES), 20, 0, 5000)
    assert find_record_by_time(placed, 1004) == (20, 5000)
    assert find_record_by_time(placed, 1004, offset_min=22) == (22, 5000)
    assert find_record_by_time(placed, 5001) is None


def test_a_batch_whose_header_promises_more_than_its_records_hold_has_none() -> None:
    assert find_record_by_time(with_header(make_batch(TIMES), max_timestamp=9999), 2000) is None


def test_snappy_without_frames_is_read() -> None:
    records = make_batch(TIMES)[61:]
    assert find_record_by_time(recoded("snappy", bytes(cramjam.snappy.compress_raw(records))), 1006) == (3, 1010)


def test_snappy_in_several_frames_of_java_is_read() -> None:
    records = make_batch(TIMES)[61:]
    blocks = [bytes(cramjam.snappy.compress_raw(part)) for part in (records[:7], records[7:])]
    framed = b"\x82SNAPPY\x00" + bytes(8) + b"".join(len(block).to_bytes(4, "big") + block for block in blocks)
    assert find_record_by_time(recoded("snappy", framed), 1006) == (3, 1010)


@pytest.mark.parametrize("codec", [codec for codec in CODECS if codec != "none"])
def test_records_that_cannot_be_decompressed_are_refused(codec: str) -> None:
    with pytest.raises(RefusedRequestError) as refused:
        find_record_by_time(recoded(codec, b"\xff" * 40), 1006)
    assert refused.value.error_code == 2


def test_records_that_end_early_are_refused() -> None:
    with pytest.raises(RefusedRequestError) as refused:
        find_record_by_time(recoded("none", make_batch(TIMES)[61:70]), 1006)
    assert refused.value.error_code == 2


def test_a_snappy_bomb_is_refused_by_what_it_says_of_itself() -> None:
    bomb = b"\x80\x80\x80\x80\x0f" + bytes(20)  # 4 GB to come, as a varint
    with pytest.raises(RefusedRequestError, match=str(RECORDS_BYTES_MAX)) as refused:
        find_record_by_time(recoded("snappy", bomb), 1006)
    assert refused.value.error_code == 2


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd"])
@pytest.mark.parametrize("behind", [100, 70_000, 1 << 20])
def test_a_record_is_found_without_unfolding_all_that_follows_it(
    codec: str, behind: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("protopact.broker.log.records.RECORDS_BYTES_MAX", 1 << 20)
    records = make_batch((1000, 1005), size=30_000)[61:] + make_batch((1000, 1005))[61:] + bytes(behind)
    written = with_header(recoded(codec, bytes(getattr(cramjam, codec).compress(records))), max_timestamp=1010)
    assert find_record_by_time(written, 1005) == (1, 1005)


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_records_shorter_than_records_can_be_are_refused_and_not_counted(codec: str) -> None:
    compress = {"none": bytes, "snappy": cramjam.snappy.compress_raw}.get(codec)
    nothing = bytes((compress or getattr(cramjam, codec).compress)(bytes(100_000)))
    with pytest.raises(RefusedRequestError, match="record 0 is of 0 bytes") as refused:
        find_record_by_time(with_header(recoded(codec, nothing), record_count=90_000), 1006)
    assert refused.value.error_code == 2


def test_more_records_than_producers_put_into_a_batch_are_not_looked_at() -> None:
    with pytest.raises(RefusedRequestError, match="1000001 records, more than 1000000") as refused:
        find_record_by_time(with_header(make_batch(TIMES), record_count=1_000_001), 1006)
    assert refused.value.error_code == 2


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd"])
def test_a_bomb_is_refused_where_the_bound_is_reached(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("protopact.broker.log.records.RECORDS_BYTES_MAX", 1 << 20)
    bomb = bytes(getattr(cramjam, codec).compress(bytes((1 << 20) + 1)))
    with pytest.raises(RefusedRequestError) as refused:
        find_record_by_time(recoded(codec, bomb), 1006)
    assert refused.value.error_code == 2
