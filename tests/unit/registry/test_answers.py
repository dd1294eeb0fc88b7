"""What is read of a registry's answers about itself, its configs and its tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.compat import check
from protopact.compiler import compile_text
from protopact.errors import ConfigError, RegistryError
from protopact.registry import (
    CompatibilityReport,
    Config,
    Metadata,
    RuleSet,
    ServerId,
    ServerVersion,
    TagDefinition,
    item_problem,
    read_attributes,
    read_json,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable

WHOLE = Config(
    "FULL_TRANSITIVE",
    alias="a",
    alias_for_deks="d",
    normalize=True,
    validate_fields=False,
    validate_new_schemas=True,
    validate_rules=False,
    compatibility_policy="LENIENT",
    compatibility_group="major",
    breaking_policy="wire_json",
    default_metadata=Metadata(properties={"a": "b"}),
    override_metadata=Metadata(sensitive=("a",)),
    default_rule_set=RuleSet(enable_at="now"),
    override_rule_set=RuleSet(),
)


def test_a_config_survives_its_way_as_update_and_echo() -> None:
    assert Config.from_json(WHOLE.update_json()) == WHOLE
    assert Config.from_json(b"{}") == Config()
    assert Config().update_json() == b"{}"


def test_an_update_says_the_level_by_the_word_of_updates_and_a_config_by_either() -> None:
    assert read_json(Config("FULL").update_json(["alias"])) == {"compatibility": "FULL", "alias": None}
    for data in (b'{"compatibility":"FULL"}', b'{"compatibilityLevel":"FULL"}'):
        assert Config.from_json(data) == Config("FULL")


def test_an_update_can_clear_the_level() -> None:
    assert read_json(Config().update_json(["compatibility_level"])) == {"compatibility": None}


def test_only_what_a_config_may_hold_can_be_cleared() -> None:
    with pytest.raises(ConfigError):
        Config().update_json(["compatibility"])


def test_a_report_reads_what_our_own_check_words() -> None:
    old, new = compile_text("message A { optional int32 a = 1; }"), compile_text("message A { optional string a = 1; }")
    found = check(new, [old], "BACKWARD")
    messages = found.messages(old_version=3, old_schema="it's {old}\n")

    report = CompatibilityReport.from_json(write_json({"is_compatible": False, "messages": list(messages)}))

    assert report.messages == messages
    assert [finding.type for finding in report.findings] == [str(one.type) for one in found.incompatible]
    assert all(finding.description for finding in report.findings)
    assert (report.old_version, report.old_schema, report.level) == (3, "it's {old}\n", "BACKWARD")


def test_a_report_keeps_words_that_it_does_not_know() -> None:
    report = CompatibilityReport.from_json(b'{"is_compatible":false,"messages":["boom"]}')
    assert (report.messages, report.findings, report.old_version) == (("boom",), (), None)


def test_a_server_may_tell_nothing_of_itself() -> None:
    assert ServerId.from_json(b"{}") == ServerId()
    assert ServerVersion.from_json(b"{}") == ServerVersion()
    assert read_attributes(b"{}") == ()


def test_an_item_of_a_bulk_answer_may_be_an_error() -> None:
    assert item_problem({"name": "PII"}) is None
    assert item_problem({"error": {"error_code": 404, "message": "no"}}) == (404, "no")
    assert item_problem({"error": {}}) == (500, "the item was refused")


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (Config.from_json, b"[]"),
        (Config.from_json, b'{"normalize":"yes"}'),
        (Config.from_json, b'{"alias":1}'),
        (CompatibilityReport.from_json, b"{}"),
        (CompatibilityReport.from_json, b'{"is_compatible":1}'),
        (ServerId.from_json, b'{"scope":[]}'),
        (ServerVersion.from_json, b'{"version":1}'),
        (read_attributes, b'{"attributes":[1]}'),
        (lambda data: TagDefinition.from_object(read_json(data)), b'{"entityTypes":[]}'),
    ],
)
def test_an_answer_of_the_wrong_shape_is_refused(read: Callable[[bytes], object], data: bytes) -> None:
    with pytest.raises(RegistryError) as caught:
        read(data)
    assert caught.value.error_code == 400
