"""The targets of the fuzzer take all that Protobuf's conformance runner sends, and its pieces."""

from __future__ import annotations

import pytest

from fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_a_fuzz_target_takes_its_seeds(name: str) -> None:
    target, seeds = TARGETS[name]
    known = list(seeds())
    assert known
    for seed in known:
        target(seed)
        target(seed[: len(seed) // 2])
