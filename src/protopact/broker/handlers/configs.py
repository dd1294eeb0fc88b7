"""Settings of topics, described and changed; those of the broker, described."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.broker.codes import Code
from protopact.broker.messages.topics import (
    AlterConfigsAnswer,
    AlteredConfigs,
    ConfigResource,
    ConfigSynonym,
    DescribeConfigsAnswer,
    DescribedConfig,
    DescribedConfigs,
    ListConfigResourcesAnswer,
)
from protopact.broker.node import NODE_ID
from protopact.broker.topics import SETTINGS, check_config
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protopact.broker.messages.topics import (
        AlterConfigsRequest,
        AskedConfigs,
        ConfigChange,
        ConfigChanges,
        DescribeConfigsRequest,
        ListConfigResourcesRequest,
    )
    from protopact.broker.node import Caller, Node
    from protopact.broker.topics import Setting, TopicConfig

TOPIC = 2
BROKER = 4

# Where a value comes from. Source: Kafka's `DescribeConfigsResponse.ConfigSource`.
TOPIC_SOURCE = 1
STATIC_BROKER_SOURCE = 4
TOPIC_DEFAULT_SOURCE = 5

_DEFAULT_LISTS = {"cleanup.policy": "delete"}
_KINDS = {"text": 2, "int": 3, "long": 5, "list": 7}
_SET, _DELETE, _APPEND, _SUBTRACT = range(4)


async def describe_configs(node: Node, request: DescribeConfigsRequest, _caller: Caller) -> DescribeConfigsAnswer:
    """Describe the settings of topics and of the broker, each with where its value comes from."""
    return DescribeConfigsAnswer(tuple(_describe(node, asked, request) for asked in request.resources))


async def incremental_alter_configs(node: Node, request: AlterConfigsRequest, _caller: Caller) -> AlterConfigsAnswer:
    """Change single settings of topics, each topic for itself."""
    return await _alter(node, request, whole=False)


async def alter_configs(node: Node, request: AlterConfigsRequest, _caller: Caller) -> AlterConfigsAnswer:
    """Replace all settings of topics, each topic for itself: what is not named goes back to its default."""
    return await _alter(node, request, whole=True)


async def list_config_resources(
    node: Node, request: ListConfigResourcesRequest, _caller: Caller
) -> ListConfigResourcesAnswer:
    """List what has settings: topics and the broker."""
    resources = [ConfigResource(topic.name, TOPIC) for topic in node.topics] + [ConfigResource(str(NODE_ID), BROKER)]
    wanted = request.resource_types
    return ListConfigResourcesAnswer(tuple(each for each in resources if not wanted or each.resource_type in wanted))


def _describe(node: Node, asked: AskedConfigs, request: DescribeConfigsRequest) -> DescribedConfigs:
    try:
        described = _described(node, asked, documented=request.include_documentation)
    except RefusedRequestError as refusal:
        return DescribedConfigs(asked.resource_type, asked.resource_name, Code(refusal.error_code), str(refusal))
    keys = asked.configuration_keys
    configs = tuple(each for each in described if keys is None or each.name in keys)
    return DescribedConfigs(asked.resource_type, asked.resource_name, configs=configs)


def _described(node: Node, asked: AskedConfigs, *, documented: bool) -> list[DescribedConfig]:
    if asked.resource_type == TOPIC:
        config = node.topics.get(asked.resource_name).config
        shown = [_topic_setting(setting, config, documented=documented) for setting in SETTINGS.values()]
        return shown + [_kept_setting(name, value) for name, value in config.own.items() if name not in SETTINGS]
    if asked.resource_type != BROKER or asked.resource_name not in {str(NODE_ID), ""}:
        raise RefusedRequestError(
            f"nothing has settings but topics (type {TOPIC}) and the broker {NODE_ID} (type {BROKER}), not"
            f" {asked.resource_name!r} of the type {asked.resource_type}",
            error_code=Code.INVALID_REQUEST,
        )
    return [_broker_setting(name, value) for name, value in _broker_settings(node).items()]


def _topic_setting(setting: Setting, config: TopicConfig, *, documented: bool) -> DescribedConfig:
    own = config.own.get(setting.name)
    default = str(setting.default(config.broker))
    synonyms = [ConfigSynonym(setting.broker_name, default, TOPIC_DEFAULT_SOURCE)]
    if own is not None:
        synonyms.insert(0, ConfigSynonym(setting.name, own, TOPIC_SOURCE))
    return DescribedConfig(
        setting.name,
        default if own is None else own,
        read_only=False,
        config_source=TOPIC_DEFAULT_SOURCE if own is None else TOPIC_SOURCE,
        config_type=_KINDS[setting.kind],
        synonyms=tuple(synonyms),
        documentation=setting.documentation if documented else None,
    )


def _kept_setting(name: str, value: str) -> DescribedConfig:
    """Describe a setting that has no effect here, as it was given."""
    synonyms = (ConfigSynonym(name, value, TOPIC_SOURCE),)
    return DescribedConfig(
        name, value, read_only=False, config_source=TOPIC_SOURCE, config_type=_KINDS["text"], synonyms=synonyms
    )


def _broker_settings(node: Node) -> Mapping[str, object]:
    """Give what holds for the broker under the names that Kafka's brokers have for it."""
    settings = node.settings
    return {
        "auto.create.topics.enable": str(settings.topics_auto_create).lower(),
        "broker.id": NODE_ID,
        "group.initial.rebalance.delay.ms": round(settings.rebalance_delay_s * 1000),
        "group.max.session.timeout.ms": round(settings.session_s_max * 1000),
        "group.max.size": settings.members_max,
        "group.min.session.timeout.ms": round(settings.session_s_min * 1000),
        "node.id": NODE_ID,
        "num.partitions": settings.partitions,
        "offsets.retention.minutes": round(settings.offsets_retention_s / 60),
        **{setting.broker_name: setting.default(settings) for setting in SETTINGS.values()},
    }


def _broker_setting(name: str, value: object) -> DescribedConfig:
    return DescribedConfig(
        name,
        str(value),
        read_only=True,
        config_source=STATIC_BROKER_SOURCE,
        config_type=_KINDS["text"],
        synonyms=(ConfigSynonym(name, str(value), STATIC_BROKER_SOURCE),),
    )


async def _alter(node: Node, request: AlterConfigsRequest, *, whole: bool) -> AlterConfigsAnswer:
    answers = []
    for changes in request.resources:
        code, message = Code.NONE, None
        try:
            await _change(node, changes, whole=whole, only_check=request.validate_only)
        except RefusedRequestError as refusal:
            code, message = Code(refusal.error_code), str(refusal)
        answers.append(AlteredConfigs(changes.resource_type, changes.resource_name, code, message))
    return AlterConfigsAnswer(tuple(answers))


async def _change(node: Node, changes: ConfigChanges, *, whole: bool, only_check: bool) -> None:
    if changes.resource_type != TOPIC:
        raise RefusedRequestError(
            "only topics' settings can be changed while the embedded broker runs; its own are given when it starts",
            error_code=Code.INVALID_REQUEST,
        )
    topic = node.topics.get(changes.resource_name)
    config = {} if whole else dict(topic.config.own)
    for change in changes.configs:
        _apply(config, change)
    check_config(config)
    if not only_check:
        await node.topics.configure(topic, config)


def _apply(config: dict[str, str], change: ConfigChange) -> None:
    if change.config_operation in {_APPEND, _SUBTRACT}:
        _check_list(change.name)
        held = _held(config, change.name)
        named = (change.value or "").split(",")
        kept = [each for each in held if each not in named]
        config[change.name] = ",".join(kept + named if change.config_operation == _APPEND else kept)
    elif change.config_operation == _DELETE or change.value is None:
        config.pop(change.name, None)
    else:
        config[change.name] = change.value


def _held(config: dict[str, str], name: str) -> list[str]:
    """Give the entries of a list that hold: its own, or those of the default."""
    value = config.get(name, _DEFAULT_LISTS.get(name, ""))
    return value.split(",") if value else []


def _check_list(name: str) -> None:
    setting = SETTINGS.get(name)
    if setting is not None and setting.kind != "list":
        raise RefusedRequestError(f"{name} is no list to add to or take from", error_code=Code.INVALID_CONFIG)
