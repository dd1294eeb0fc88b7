from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from protopact.errors import ConfigError
from protopact.serdes import AsyncDeserializer, AsyncSerializer, Deserializer, Serializer
from protopact.settings import SerdeSettings

if TYPE_CHECKING:
    from protopact.client import SchemaRegistryClient
    from protopact.schema import DescribedSchema


@pytest.mark.parametrize("kind", [Serializer, AsyncSerializer])
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("auto_registr", "auto_register"),
        ("use_latest", "use_latest_version"),
        ("subject_name_strtegy", "subject_name_strategy"),
        ("use_schema_ID", "use_schema_id"),
        ("normalise", "normalize"),
    ],
)
def test_a_serializers_misspelt_option_is_refused_with_the_nearest_name(
    registry: SchemaRegistryClient, shop: DescribedSchema, kind: Any, typed: str, meant: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        kind(registry, shop, **{typed: True})
    assert refused.value.option == typed
    assert refused.value.hint == f"did you mean {meant}?"


@pytest.mark.parametrize("kind", [Deserializer, AsyncDeserializer])
def test_a_deserializers_misspelt_option_is_refused_with_the_nearest_name(
    registry: SchemaRegistryClient, kind: Any
) -> None:
    with pytest.raises(ConfigError) as refused:
        kind(registry, frame="raw")
    assert (refused.value.option, refused.value.hint) == ("frame", "did you mean framing?")
    with pytest.raises(ConfigError, match="no option 'zzz'") as unlike:
        kind(registry, zzz=1)
    assert "compatible_types, framing, into" in unlike.value.hint


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("framing", "confluence"),
        ("auto_register", "false"),
        ("use_latest_version", 1),
        ("use_latest_with_metadata", {}),
        ("use_latest_with_metadata", {"a": 1}),
        ("use_latest_with_metadata", "major=1"),
        ("use_schema_id", "7"),
        ("use_schema_id", True),
        ("use_schema_id", -1),
        ("use_schema_id", 2**31),
        ("normalize", "no"),
        ("check_compatible", None),
        ("deterministic", 0),
        ("reference_subject_name_strategy", "qualified"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_options_name(
    registry: SchemaRegistryClient, shop: DescribedSchema, option: str, value: Any
) -> None:
    with pytest.raises(ConfigError) as refused:
        Serializer(registry, shop, **{option: value})
    assert refused.value.option == option


@pytest.mark.parametrize(
    "options",
    [
        {"auto_register": True, "use_latest_version": True},
        {"use_latest_version": True, "use_schema_id": 1},
        {"use_latest_version": True, "use_latest_with_metadata": {"a": "b"}},
    ],
)
def test_two_ways_to_choose_the_schema_exclude_each_other(
    registry: SchemaRegistryClient, shop: DescribedSchema, options: Any
) -> None:
    with pytest.raises(ConfigError, match="exclude each other"):
        Serializer(registry, shop, **options)


@pytest.mark.parametrize("limit", ["message_bytes_max", "latest_ttl_s", "thread_bytes_min", "step_bytes_max"])
def test_a_limit_that_is_none_is_refused(registry: SchemaRegistryClient, shop: DescribedSchema, limit: str) -> None:
    for value in (-1, float("nan"), "1", None):
        settings = SerdeSettings(**{limit: value})  # type: ignore[arg-type]
        with pytest.raises(ConfigError) as unwritten:
            Serializer(registry, shop, settings=settings)
        with pytest.raises(ConfigError) as unread:
            Deserializer(registry, settings=settings)
        assert unwritten.value.option == unread.value.option == limit


def test_a_registry_client_can_be_left_out_only_where_nothing_is_asked(shop: DescribedSchema) -> None:
    for framing in ("confluent", "guid"):
        with pytest.raises(ConfigError) as refused:
            Serializer(None, shop, framing=framing)  # type: ignore[arg-type]
        assert refused.value.option == "client"
    with pytest.raises(ConfigError) as unread:
        Deserializer(None, into=dict)
    assert unread.value.option == "client"
    Serializer(None, shop, framing="raw")
    Deserializer(None, into=shop.message_class)
