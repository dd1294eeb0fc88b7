from __future__ import annotations

import pytest

from protopact.broker.log import Batch, Duplicate, ProducerStates
from protopact.errors import RefusedRequestError

OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH = 45, 47
LAST_SEQUENCE = 2**31 - 1


def batch(sequence: int, count: int = 1, *, producer_id: int = 7, epoch: int = 0, offset: int = 0) -> Batch:
    return Batch(offset, 100, 0, 0, count - 1, 5, 6 + offset, producer_id, epoch, sequence, count)


def appended(*batches: Batch, now_ms: int = 0) -> ProducerStates:
    states = ProducerStates()
    for one in batches:
        states.appended(one, now_ms)
    return states


def refusal(states: ProducerStates, sent: Batch) -> int:
    with pytest.raises(RefusedRequestError) as refused:
        states.check(sent, 0)
    return refused.value.error_code


def test_a_batch_without_a_producer_is_never_a_duplicate() -> None:
    plain = batch(-1, producer_id=-1)
    assert appended(plain).check(plain, 0) is None


@pytest.mark.parametrize("sequence", [0, 1, 900, LAST_SEQUENCE])
def test_an_unknown_producer_may_start_at_any_sequence(sequence: int) -> None:
    assert ProducerStates().check(batch(sequence), 0) is None


def test_the_next_sequence_is_taken_and_no_other() -> None:
    states = appended(batch(0, 10))
    assert states.check(batch(10), 0) is None
    assert refusal(states, batch(11)) == OUT_OF_ORDER_SEQUENCE_NUMBER
    assert refusal(states, batch(9)) == OUT_OF_ORDER_SEQUENCE_NUMBER


def test_each_of_the_last_five_batches_is_known_again_with_its_place_and_time() -> None:
    states = appended(*(batch(number, offset=100 + number) for number in range(7)))
    for number in range(2, 7):
        assert states.check(batch(number), 0) == Duplicate(100 + number, 106 + number)
    assert refusal(states, batch(1)) == OUT_OF_ORDER_SEQUENCE_NUMBER


def test_a_part_of_a_batch_is_no_duplicate_of_it() -> None:
    assert refusal(appended(batch(0, 10)), batch(0, 5)) == OUT_OF_ORDER_SEQUENCE_NUMBER


def test_after_the_largest_sequence_comes_zero() -> None:
    states = appended(batch(LAST_SEQUENCE))
    assert states.check(batch(0), 0) is None
    assert refusal(states, batch(1)) == OUT_OF_ORDER_SEQUENCE_NUMBER


def test_a_batch_may_run_over_the_largest_sequence() -> None:
    states = appended(batch(LAST_SEQUENCE - 1, 4, offset=50))
    assert states.check(batch(2), 0) is None
    assert states.check(batch(LAST_SEQUENCE - 1, 4), 0) == Duplicate(50, 56)


def test_a_new_epoch_starts_at_zero_and_fences_the_one_before() -> None:
    states = appended(batch(0), batch(1))
    assert refusal(states, batch(2, epoch=1)) == OUT_OF_ORDER_SEQUENCE_NUMBER
    assert states.check(batch(0, epoch=1), 0) is None
    states.appended(batch(0, epoch=1), 0)
    assert refusal(states, batch(2)) == INVALID_PRODUCER_EPOCH
    assert states.check(batch(1, epoch=1), 0) is None
    assert states.check(batch(0, epoch=1), 0) == Duplicate(0, 6)


def test_a_refused_batch_leaves_no_trace() -> None:
    states = appended(batch(0))
    refusal(states, batch(5))
    refusal(states, batch(3, epoch=2))
    assert states.check(batch(1), 0) is None


def test_an_idle_producer_is_forgotten_and_one_that_retries_is_not() -> None:
    states = appended(batch(5), batch(5, producer_id=8))
    states.check(batch(5), 900)
    states.forget_idle(1000, 1000)
    assert states.check(batch(5), 1000) is not None
    assert states.check(batch(77, producer_id=8), 1000) is None


def test_a_snapshot_brings_everything_back() -> None:
    states = appended(
        *(batch(number, offset=number) for number in range(6)), batch(3, producer_id=8, epoch=4), now_ms=500
    )
    back = ProducerStates.restore(states.snapshot())
    assert back is not None
    assert back.snapshot() == states.snapshot()
    assert back.check(batch(5), 500) == Duplicate(5, 11)
    assert refusal(back, batch(0)) == OUT_OF_ORDER_SEQUENCE_NUMBER
    assert refusal(back, batch(0, producer_id=8, epoch=3)) == INVALID_PRODUCER_EPOCH


def test_a_snapshot_that_is_cut_off_or_changed_is_none() -> None:
    snapshot = appended(batch(0)).snapshot()
    assert all(ProducerStates.restore(snapshot[:cut]) is None for cut in range(len(snapshot)))
    assert ProducerStates.restore(snapshot[:-1] + b"!") is None
