"""Typed limits."""

from __future__ import annotations

import dataclasses
import re

import pytest

from protopact import settings
from protopact.errors import ConfigError

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


def test_the_environment_states_limits_and_flags_when_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings.SERDE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    read = settings.SerdeSettings.from_environment
    assert read() == settings.SerdeSettings()
    monkeypatch.setenv("PROTOBUF_MAX_MESSAGE_SIZE", "1000")
    monkeypatch.setenv("PROTOBUF_ENABLE_CACHING", "False")
    monkeypatch.setenv("PROTOBUF_ENABLE_REFLECTION", "")
    assert read() == settings.SerdeSettings(message_bytes_max=1000, caching=False)
    stated = {"PROTOBUF_MAX_FIELD_SIZE": "1048576", "PROTOBUF_MAX_REPEATED_FIELD_SIZE": "1000"}
    assert read(stated) == settings.SerdeSettings(field_bytes_max=1048576, repeated_items_max=1000)
    assert read({"PROTOBUF_ENABLE_REFLECTION": " off "}) == settings.SerdeSettings(reflection=False)


@pytest.mark.parametrize("variable", settings.SERDE_VARIABLES)
def test_a_variable_that_makes_no_sense_is_named(variable: str) -> None:
    for text in ("x", "-1", "1.5"):
        with pytest.raises(ConfigError, match=variable) as refused:
            settings.SerdeSettings.from_environment({variable: text})
        assert refused.value.option == variable


def test_retries_wait_from_the_least_to_the_most() -> None:
    client = settings.ClientSettings()
    assert client.retry_delay_s_min <= client.retry_delay_s_max
