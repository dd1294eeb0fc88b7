"""What a run measures and gives. No figure is asserted: the machine is shared."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from protopact.errors import ConfigError
from protopact.measure import measure_memory, measure_ways
from protopact.measure.memory import _PARTS
from protopact.measure.run import _KINDS
from protopact.measure.timing import Way, time_ways

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from google.protobuf.message import Message


class Copycat:
    """A rival that writes and reads as upb does."""

    name = "Copycat"

    def writer(self, message: Message, *, names_latest: bool = False) -> Callable[[Message], bytes]:
        return type(message).SerializeToString

    def reader(self, message: Message) -> Callable[[bytes], Message]:
        return type(message).FromString


def test_each_round_times_all_calls_in_turn_and_ratios_are_taken_within_it() -> None:
    clock, calls = itertools.count(), []

    def call(name: str) -> Callable[[], object]:
        return lambda: calls.append((next(clock), name))

    way = Way("a way", "small", 3, call("bare"), call("ours"), 2.0, {"theirs": call("theirs")})
    (row,) = time_ways([way], 2)
    order = [name for name, _ in itertools.groupby(name for _, name in calls)]
    assert order == ["bare", "ours", "theirs"] * 3  # once to see how long each takes
    assert (row.path, row.message, row.payload_bytes, row.goal) == ("a way", "small", 3, 2.0)
    assert list(row.peers) == ["theirs"]


def test_the_figures_of_a_call_with_many_messages_are_for_one_of_them() -> None:
    def call() -> object:
        return sum(range(20_000))

    (one,) = time_ways([Way("a way", "small", 3, call, call)], 3)
    (many,) = time_ways([Way("a way", "small", 3, call, call, messages=1_000_000)], 3)
    assert many.ns < one.ns


def test_a_goal_is_missed_above_it_alone() -> None:
    ways = [Way("a way", "small", 3, lambda: sum(range(99)), lambda: None, goal) for goal in (1e9, 1e-9, None)]
    assert [row.is_missed for row in time_ways(ways, 1)] == [False, True, False]


def test_every_way_stands_beside_bare_upb_and_a_rival_where_it_does_the_same() -> None:
    measured = measure_ways(rounds=1, only=["small"], rival=Copycat())
    peers = {row.path: list(row.peers) for row in measured.rows}
    assert all(row.message == "small" and row.payload_bytes == 28 for row in measured.rows)
    assert peers["message → wire"] == peers["wire → message"] == ["Copycat"]
    assert peers["message → wire, latest schema"] == ["Copycat"]
    assert peers["dict → wire"] == peers["wire → model"] == ["Copycat + json_format"]
    assert peers["length-delimited read"] == ["protobuf"]
    assert list(peers) == [path for kind in _KINDS for path in kind.paths]
    assert (measured.rounds, measured.left_out) == (1, [])


def test_the_medium_message_is_measured_in_a_file_of_1000_too() -> None:
    rows = measure_ways(rounds=1, only=["wire medium, in a file of 1000"]).rows
    assert [(row.path, row.goal) for row in rows] == [("message → wire", 1.5)]


def test_nothing_to_measure_is_refused() -> None:
    with pytest.raises(ConfigError, match="no way has such a name"):
        measure_ways(rounds=1, only=["tiny"])
    with pytest.raises(ConfigError, match="rounds is 0"):
        measure_ways(rounds=0)
    with pytest.raises(ConfigError, match="messages is 9"):
        measure_memory(9)


def test_memory_is_told_at_three_marks_and_for_what_went_through(tmp_path: Path) -> None:
    path = str(tmp_path / "messages.binpb")
    rows = [_PARTS[name](20, path) for name in ("records", "write", "read")]
    assert [(row.messages, row.goal.partition(" ")[0]) for row in rows] == [(20, "growth"), (20, "peak"), (20, "peak")]
    assert all(0 < mark <= row.peak_mb for row in rows for mark in (row.at_10_mb, row.at_50_mb, row.at_100_mb))
