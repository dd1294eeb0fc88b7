from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from protopact.errors import ConfigError, RecordsError, RuleError, RuleViolation, RuleViolationError
from protopact.schema import load_schema
from protopact.serdes import Deserializer, Serializer

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    from protopact.client import SchemaRegistryClient
    from protopact.schema import DescribedSchema

USER = """
syntax = "proto3";
package shop.v1;
import "buf/validate/validate.proto";
message User { string name = 1 [(buf.validate.field).string.max_len = NAME_MAX]; }
message Team { User lead = 1; string name = 2 [(buf.validate.field).string.min_len = 1]; }
"""
GOOD, BAD = {"name": "Ann"}, {"name": "Annabel"}


@pytest.fixture(scope="module")
def user() -> DescribedSchema:
    return load_schema(USER.replace("NAME_MAX", "3"), file_name="shop/v1/user.proto")


@pytest.fixture(scope="module")
def wider() -> DescribedSchema:
    return load_schema(USER.replace("NAME_MAX", "30"), file_name="shop/v1/user.proto")


def test_a_serializer_refuses_what_breaks_the_rules_in_every_form(
    registry: SchemaRegistryClient, user: DescribedSchema
) -> None:
    serializer = Serializer(registry, user, validate=True)
    write = serializer.bind("users")
    assert write(GOOD) == Serializer(registry, user).serialize(GOOD, topic="users")
    assert serializer.serialize(None, topic="users") is None
    for value in (BAD, user.new_message(BAD)):
        with pytest.raises(RuleViolationError) as caught:
            serializer(value, "users")
        assert [(each.path, each.rule_id) for each in caught.value.violations] == [("$.name", "string.max_len")]


def test_another_message_of_the_file_is_held_to_its_own_rules(
    registry: SchemaRegistryClient, user: DescribedSchema
) -> None:
    team = user.for_message("Team").new_message({"lead": BAD})
    with pytest.raises(RuleViolationError) as caught:
        Serializer(registry, user, validate=True).serialize(team, topic="teams")
    assert {each.path for each in caught.value.violations} == {"$.lead.name", "$.name"}


def test_a_deserializer_holds_records_to_the_rules_that_the_registry_has(
    registry: SchemaRegistryClient, user: DescribedSchema, wider: DescribedSchema
) -> None:
    strict = Serializer(registry, user).serialize(BAD, topic="users")
    wide = Serializer(registry, wider).serialize(BAD, topic="wider")
    for _ in range(2):
        deserializer = Deserializer(registry, into=dict, validate=True)
        assert deserializer.deserialize(wide, topic="wider") == BAD
        with pytest.raises(RuleViolationError, match=r"^record of topic 'users': the shop\.v1\.User "):
            deserializer.deserialize(strict, topic="users")
    assert Deserializer(registry, into=dict).deserialize(strict) == BAD


def test_a_wanted_class_has_its_own_rules(
    registry: SchemaRegistryClient, user: DescribedSchema, wider: DescribedSchema
) -> None:
    raw = Serializer(registry, user).serialize(BAD, topic="users")
    assert Deserializer(registry, into=wider.message_class, validate=True).deserialize(raw).name == "Annabel"  # type: ignore[attr-defined]


def test_a_record_that_breaks_the_rules_is_a_bad_one_among_many(
    registry: SchemaRegistryClient, user: DescribedSchema
) -> None:
    write = Serializer(registry, user).bind("users")
    raws = [write(GOOD), write(BAD), write(GOOD)]
    deserializer = Deserializer(registry, validate=True)
    assert deserializer.deserialize_many(raws, on_error="skip", index="n").to_pydict() == {
        "name": ["Ann"] * 2,
        "n": [0, 2],
    }
    with pytest.raises(RecordsError, match="record 1: ") as caught:
        deserializer.deserialize_many(raws)
    assert isinstance(caught.value.failures[0].error, RuleViolationError)


def test_rules_that_make_no_sense_are_refused_when_a_topic_is_first_used(registry: SchemaRegistryClient) -> None:
    text = USER.replace("string.max_len = NAME_MAX", "int32.gt = 3")
    senseless = load_schema(text, file_name="senseless.proto")
    with pytest.raises(RuleError):
        Serializer(registry, senseless, validate=True).bind("users")
    raw = Serializer(registry, senseless).serialize(GOOD, topic="users")
    for many in (False, True):
        deserializer = Deserializer(registry, validate=True)
        with pytest.raises(RuleError, match="cannot be used"):
            deserializer.deserialize_many([raw], on_error="skip") if many else deserializer.deserialize(raw)


class NoSecrets:
    """A validation of one's own."""

    def check_of(self, message_class: type[Message]) -> Callable[[Message], None] | None:
        name = message_class.DESCRIPTOR.full_name

        def check(message: Any) -> None:
            if "secret" in message.name:
                raise RuleViolationError(name, [RuleViolation("$.name", "no-secrets", "tells a secret")])

        return check


def test_any_validation_can_be_given(registry: SchemaRegistryClient, user: DescribedSchema) -> None:
    serializer = Serializer(registry, user, validate=NoSecrets())
    assert serializer(BAD, "users")
    with pytest.raises(RuleViolationError, match=r"\$\.name: tells a secret \(no-secrets\)"):
        serializer({"name": "secret"}, "users")


@dataclass
class Member:
    name: str = ""


def test_a_model_is_held_to_the_rules_of_the_schema_that_it_stands_for(
    registry: SchemaRegistryClient,
) -> None:
    serializer = Serializer(registry, Member, validate=NoSecrets())
    assert serializer(Member("x"), "members")
    with pytest.raises(RuleViolationError):
        serializer(Member("secret"), "members")


@pytest.mark.parametrize("made", [Serializer, Deserializer])
def test_what_cannot_validate_is_refused(registry: SchemaRegistryClient, user: DescribedSchema, made: Any) -> None:
    arguments = (registry, user) if made is Serializer else (registry,)
    with pytest.raises(ConfigError) as caught:
        made(*arguments, validate="yes")
    assert caught.value.option == "validate"
