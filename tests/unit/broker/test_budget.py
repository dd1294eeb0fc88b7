"""Bytes are handed out first come, first served, never more than there are, and all of them come back."""

from __future__ import annotations

from hypothesis import given, strategies as st

from protopact.broker.budget import Budget


def test_who_finds_too_little_waits_and_is_called_in_turn() -> None:
    budget, called = Budget(100), []
    assert budget.take(60, lambda: called.append("never"))
    assert not budget.take(60, lambda: called.append("first"))
    assert not budget.take(10, lambda: called.append("second"))  # there is room, but others were first
    assert called == []
    budget.give(60)
    assert called == ["first", "second"]


def test_something_larger_than_the_whole_is_granted_alone() -> None:
    budget, called = Budget(100), []
    assert budget.take(1, lambda: called.append("never"))
    assert not budget.take(500, lambda: called.append("large"))
    budget.give(1)
    assert called == ["large"]
    assert not budget.take(1, lambda: called.append("after"))
    budget.give(500)
    assert called == ["large", "after"]


def test_who_withdraws_is_not_called_and_lets_the_next_go_on() -> None:
    budget, called = Budget(100), []

    def large() -> None:
        called.append("large")

    def small() -> None:
        called.append("small")

    assert budget.take(50, large)
    assert not budget.take(80, large)
    assert not budget.take(20, small)
    budget.withdraw(large)
    assert called == ["small"]


@given(st.lists(st.tuples(st.integers(1, 150), st.booleans()), max_size=60))
def test_no_more_is_out_than_there_is_except_for_one_that_is_alone(steps: list[tuple[int, bool]]) -> None:
    budget, out, waiting = Budget(100), [], []

    def granting(size: int) -> None:
        waiting.remove(size)
        out.append(size)

    for size, gives in steps:
        if gives and out:
            budget.give(out.pop(0))
        elif budget.take(size, lambda size=size: granting(size)):
            out.append(size)
        else:
            waiting.append(size)
        assert sum(out) <= 100 or len(out) == 1
        assert out or not waiting
