"""What may be set for a topic and how it may be called: Kafka's rules, and refusals that say why."""

from __future__ import annotations

import pytest

from protopact.broker.codes import Code
from protopact.broker.topics.config import SETTINGS, TopicConfig, check_config
from protopact.broker.topics.names import check_topic_name
from protopact.errors import RefusedRequestError
from protopact.settings import BrokerSettings


@pytest.mark.parametrize("name", ["orders", "a", "A.b_c-9", "x" * 249, "...", "__consumer"])
def test_kafkas_names_are_taken(name: str) -> None:
    check_topic_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", "x" * 250, "a b", "a/b", "ä", "a\n", "a:b"])
def test_other_names_are_refused_by_kafkas_code(name: str) -> None:
    with pytest.raises(RefusedRequestError) as caught:
        check_topic_name(name)
    assert caught.value.error_code == Code.INVALID_TOPIC_EXCEPTION


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("retention.ms", "-1"),
        ("retention.ms", "9223372036854775807"),
        ("retention.bytes", "0"),
        ("segment.bytes", "14"),
        ("segment.ms", "1"),
        ("max.message.bytes", "2147483647"),
        ("message.timestamp.type", "LogAppendTime"),
        ("cleanup.policy", "delete"),
        ("min.insync.replicas", "1"),
    ],
)
def test_values_within_kafkas_bounds_are_taken(name: str, value: str) -> None:
    check_config({name: value})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("retention.ms", "-2", "from -1"),
        ("retention.ms", "9223372036854775808", "whole number"),
        ("retention.ms", "1" * 5000, "whole number"),
        ("retention.ms", "soon", "'soon'"),
        ("retention.ms", "1.5", "whole number"),
        ("retention.ms", "", "whole number"),
        ("retention.ms", "\u0663", "whole number"),
        ("segment.bytes", "13", "from 14"),
        ("max.message.bytes", "2147483648", "2147483647"),
        ("message.timestamp.type", "logappendtime", "CreateTime or LogAppendTime"),
        ("cleanup.policy", "compact", "does not compact"),
        ("compression.type", "zstd", "does not compress anew"),
        ("min.insync.replicas", "2", "from 1 to 1"),
        ("no.such.setting", "1", "no.such.setting"),
    ],
)
def test_other_values_and_names_are_refused_with_the_reason(name: str, value: str, said: str) -> None:
    with pytest.raises(RefusedRequestError, match=said) as caught:
        check_config({name: value})
    assert caught.value.error_code == Code.INVALID_CONFIG


def test_a_topics_own_value_goes_over_the_brokers_default() -> None:
    broker = BrokerSettings(retention_ms=5)
    assert TopicConfig({}, broker).number("retention.ms") == 5
    assert TopicConfig({"retention.ms": "7"}, broker).number("retention.ms") == 7
    assert not TopicConfig({}, broker).log_append_time
    assert TopicConfig({"message.timestamp.type": "LogAppendTime"}, broker).log_append_time


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_every_default_is_a_value_that_the_setting_takes(setting: object) -> None:
    check_config({setting.name: str(setting.default(BrokerSettings()))})
