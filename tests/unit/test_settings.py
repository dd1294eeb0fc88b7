"""Typed limits."""

from __future__ import annotations

import dataclasses
import re

import pytest

from protopact import settings

# A bound of -1 is none, as Kafka says it; and an empty group need not wait for more members.
MAY_BE_NOTHING = {"retention_bytes", "rebalance_delay_s"}
CLASSES = [cls for name, cls in vars(settings).items() if name.endswith("Settings")]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_limit_is_explained_where_it_is_declared(cls: type) -> None:
    explained = set(re.findall(r"`([a-z_]+)`", cls.__doc__ or ""))
    assert {field.name for field in dataclasses.fields(cls)} - explained == set()


@pytest.mark.parametrize("cls", CLASSES)
def test_every_limit_has_a_default_above_nothing(cls: type) -> None:
    values = {name: value for name, value in dataclasses.asdict(cls()).items() if name not in MAY_BE_NOTHING}
    assert [name for name, value in values.items() if type(value) in {int, float} and not value > 0] == []


@pytest.mark.parametrize("cls", CLASSES)
def test_settings_do_not_change_under_their_users(cls: type) -> None:
    first = dataclasses.fields(cls)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(cls(), first, 1)


def test_retries_wait_from_the_least_to_the_most() -> None:
    client = settings.ClientSettings()
    assert client.retry_delay_s_min <= client.retry_delay_s_max
