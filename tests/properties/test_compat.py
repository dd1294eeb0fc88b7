"""What holds for every schema and its update."""

from __future__ import annotations

from collections import Counter
from functools import cache
from random import Random
from typing import TYPE_CHECKING

import pytest

from protopact.compat import DifferenceType, Level, Policy, check, compare
from protopact.descriptor import pool_of
from schemas.pairs import versions

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.descriptor import FileSet

SMALL, FULL = 80, 2_000
TYPES = list(DifferenceType)
CONFLUENTS = TYPES[: TYPES.index(DifferenceType.FIELD_MOVED_TO_EXISTING_ONEOF) + 1]
SINGLE = [level for level in Level if not level.transitive and level is not Level.NONE]


@cache
def sets(seed: int) -> tuple[FileSet, FileSet]:
    original, update = versions(Random(seed), str(seed), 2)
    return original.file_set(), update.file_set()


@pytest.fixture(scope="module")
def pairs(count: Callable[[int, int], int]) -> list[tuple[FileSet, FileSet]]:
    return [sets(seed) for seed in range(count(SMALL, FULL))]


def compatible(candidate: FileSet, history: list[FileSet], level: Level, policy: Policy = Policy.CONFLUENT) -> bool:
    return check(candidate, history, level, policy=policy).compatible


def test_the_pairs_are_schemas_that_protobuf_accepts(pairs: list[tuple[FileSet, FileSet]]) -> None:
    for one in pairs[:SMALL]:
        for file_set in one:
            pool_of(file_set)


def test_the_pairs_show_every_difference_and_every_verdict(pairs: list[tuple[FileSet, FileSet]]) -> None:
    """In the full count each type occurs at least 20 times, and either verdict in at least 30 % of the pairs."""
    found = [compare(original, update) for original, update in pairs]
    seen = Counter(type_ for differences in found for type_ in {one.type for one in differences})
    refused = sum(any(one.incompatible for one in differences) for differences in found) / len(found)
    assert 0.3 <= refused <= 0.7
    assert set(seen) <= set(CONFLUENTS)
    if len(pairs) >= FULL:
        assert {type_: seen[type_] for type_ in CONFLUENTS if seen[type_] < 20} == {}


@pytest.mark.parametrize("policy", Policy)
def test_a_schema_may_follow_itself(pairs: list[tuple[FileSet, FileSet]], policy: Policy) -> None:
    for _, update in pairs:
        assert compare(update, type(update).from_bytes(update.root, update.to_bytes())) == ()
        assert compatible(update, [update, update], Level.FULL_TRANSITIVE, policy)


@pytest.mark.parametrize("policy", Policy)
def test_full_is_backward_and_forward(pairs: list[tuple[FileSet, FileSet]], policy: Policy) -> None:
    for original, update in pairs:
        backward = compatible(update, [original], Level.BACKWARD, policy)
        forward = compatible(update, [original], Level.FORWARD, policy)
        assert compatible(update, [original], Level.FULL, policy) == (backward and forward)


def test_forward_is_backward_with_the_sides_swapped(pairs: list[tuple[FileSet, FileSet]]) -> None:
    for original, update in pairs:
        forward = check(update, [original], Level.FORWARD).versions[0].forward
        assert forward == check(original, [update], Level.BACKWARD).versions[0].backward


@pytest.mark.parametrize("level", SINGLE)
def test_transitive_asks_the_latest_version_and_every_other(count: Callable[[int, int], int], level: Level) -> None:
    transitive = Level(f"{level}_TRANSITIVE")
    verdicts = Counter[bool]()
    for seed in range(count(25, 600)):
        *earlier, candidate = [schema.file_set() for schema in versions(Random(seed), str(seed), 4)]
        history = earlier[::-1]
        for policy in Policy:
            verdict = compatible(candidate, history, transitive, policy)
            assert not verdict or compatible(candidate, history, level, policy)
            verdicts[verdict] += 1
        alone = [compatible(candidate, [version], level) for version in history]
        assert compatible(candidate, history, transitive) == all(alone)
        assert compatible(candidate, history, level) == alone[0]
    assert min(verdicts[True], verdicts[False]) > 0


@pytest.mark.parametrize("level", SINGLE)
def test_a_stricter_policy_refuses_all_that_a_milder_one_does(
    pairs: list[tuple[FileSet, FileSet]], level: Level
) -> None:
    for original, update in pairs:
        verdicts = [compatible(update, [original], level, policy) for policy in Policy]
        assert verdicts == sorted(verdicts, reverse=True)


def test_a_report_has_a_reason_for_all_that_it_refuses(pairs: list[tuple[FileSet, FileSet]]) -> None:
    for original, update in pairs:
        report = check(update, [original], Level.FULL, policy=Policy.SOURCE)
        assert all(one.reason for one in report.incompatible)
        assert bool(report.messages()) is not report.compatible
