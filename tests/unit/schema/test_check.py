"""Compatibility for schemas of every origin."""

from __future__ import annotations

import pytest

from protopact.compat import Level
from protopact.errors import ConfigError
from protopact.schema import ProtoField, ProtoMessage, check_compatibility, load_schema

OLD = ProtoMessage("Order", package="shop", fields=[ProtoField("id", "int64", 1)], file_name="order.proto")
NEW = load_schema('syntax = "proto3"; package shop; message Order { int32 id = 1; string note = 2; }')


def test_schemas_of_different_origin_are_compared() -> None:
    report = check_compatibility(NEW, [OLD])
    assert report.level is Level.BACKWARD
    assert report.compatible
    assert [one.path for one in report.differences[0]] == ["#/Order/2"]


def test_a_stricter_policy_says_why() -> None:
    report = check_compatibility(NEW, OLD, policy="wire")
    assert [(one.path, one.reason) for one in report.incompatible] == [
        ("#/Order/1", "some values read as other values")
    ]


def test_the_level_is_taken_by_name() -> None:
    assert check_compatibility(NEW, [OLD], "FORWARD", policy="wire").compatible
    with pytest.raises(ConfigError, match="no compatibility level"):
        check_compatibility(NEW, [OLD], "SOMEHOW")
