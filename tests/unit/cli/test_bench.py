"""`bench`: what is measured as JSON for programs and as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from unit.cli.running import Ran

SHORT = ("bench", "--rounds", 1, "--only", "wire → dict small", "--only", "dict → wire small")


def test_ways_are_given_with_the_versions_that_were_measured(run: Callable[..., Ran]) -> None:
    ran = run(*SHORT)
    assert ran.code == 0
    assert {"rounds", "python", "protobuf", "rows"} <= set(ran.said)
    assert [(row["path"], row["message"], row["goal"]) for row in ran.said["rows"]] == [
        ("dict → wire", "small", 4.0),
        ("wire → dict", "small", 3.5),
    ]
    assert all(row["ratio"] > 0 and row["peers"]["json_format"] > 0 for row in ran.said["rows"])


def test_a_table_has_a_goal_and_the_others_beside_each_way(run: Callable[..., Ran]) -> None:
    ran = run(*SHORT, "--format", "table")
    assert ran.code == 0
    assert all(word in ran.out for word in ("upb ns", "ratio", "goal", "others", "json_format"))


def test_memory_is_measured_in_processes_of_their_own(run: Callable[..., Ran]) -> None:
    ran = run("bench", "--memory", "--messages", 10)
    assert [(row["path"], row["messages"]) for row in ran.said] == [
        ("records written and read", 10),
        ("length-delimited file written", 50),
        ("length-delimited file read", 50),
    ]


def test_odd_options_are_refused(run: Callable[..., Ran]) -> None:
    assert "no way has such a name" in run("bench", "--only", "nothing").err
    assert "--messages is for --memory" in run("bench", "--messages", 10).err
