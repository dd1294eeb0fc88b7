from __future__ import annotations

from itertools import permutations

from protopact.registry import Reference, normal_references

A1, A2, B1 = Reference("a", "a", 1), Reference("a", "a", 2), Reference("b", "b", 1)


def test_normal_references_stand_by_subject_and_version_and_each_once() -> None:
    other_name = Reference("0", "a", 1)
    for order in permutations([A1, A2, B1, other_name, A1]):
        assert normal_references(order) == (other_name, A1, A2, B1)
    assert normal_references([]) == ()


def test_normal_references_are_sorted_as_java_sorts() -> None:
    astral, private = Reference("x", "\U0001f600", 1), Reference("x", "\ue000", 1)
    assert normal_references([private, astral]) == (astral, private)
