"""Requests that change topics and configs, or describe configs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from protopact.broker.codes import Code


@dataclass(frozen=True, slots=True)
class WantedConfig:
    """One setting of a topic that is to be made."""

    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class WantedReplicas:
    """Which brokers are to hold a partition."""

    partition_index: int
    broker_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NewTopic:
    """A topic that is to be made; -1 leaves partitions or replicas to the broker."""

    name: str
    num_partitions: int
    replication_factor: int
    assignments: tuple[WantedReplicas, ...] = ()
    configs: tuple[WantedConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class CreateTopicsRequest:
    """Make topics, or only say whether they could be made."""

    topics: tuple[NewTopic, ...]
    timeout: timedelta = timedelta()
    validate_only: bool = False


@dataclass(frozen=True, slots=True)
class MadeConfig:
    """A setting that holds for a topic."""

    name: str
    value: str | None
    read_only: bool
    config_source: int
    is_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class MadeTopic:
    """What became of one topic."""

    name: str
    error_code: Code = Code.NONE
    error_message: str | None = None
    num_partitions: int = -1
    replication_factor: int = -1
    configs: tuple[MadeConfig, ...] | None = None
    topic_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CreateTopicsAnswer:
    """What became of all topics."""

    topics: tuple[MadeTopic, ...]


@dataclass(frozen=True, slots=True)
class UnwantedTopic:
    """A topic that is to go, by name or by id."""

    name: str | None = None
    topic_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class DeleteTopicsRequest:
    """Delete topics: by names up to version 5, by names or ids after."""

    topic_names: tuple[str, ...] = ()
    topics: tuple[UnwantedTopic, ...] = ()


@dataclass(frozen=True, slots=True)
class DeletedTopic:
    """What became of one topic."""

    name: str | None
    topic_id: UUID | None = None
    error_code: Code = Code.NONE
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteTopicsAnswer:
    """What became of all topics."""

    responses: tuple[DeletedTopic, ...]


@dataclass(frozen=True, slots=True)
class MorePartitionsPlaces:
    """Which brokers are to hold a new partition."""

    broker_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MorePartitions:
    """How many partitions a topic is to have."""

    name: str
    count: int
    assignments: tuple[MorePartitionsPlaces, ...] | None = None


@dataclass(frozen=True, slots=True)
class CreatePartitionsRequest:
    """Give topics more partitions."""

    topics: tuple[MorePartitions, ...]
    validate_only: bool = False


@dataclass(frozen=True, slots=True)
class MorePartitionsMade:
    """What became of one topic."""

    name: str
    error_code: Code = Code.NONE
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class CreatePartitionsAnswer:
    """What became of all topics."""

    results: tuple[MorePartitionsMade, ...]


@dataclass(frozen=True, slots=True)
class AskedConfigs:
    """Whose settings are asked for (2 is a topic, 4 a broker), and which: none means all."""

    resource_type: int
    resource_name: str
    configuration_keys: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class DescribeConfigsRequest:
    """Ask for settings."""

    resources: tuple[AskedConfigs, ...]
    include_synonyms: bool = False
    include_documentation: bool = False


@dataclass(frozen=True, slots=True)
class ConfigSynonym:
    """Where else the value could come from, in the order of rank."""

    name: str
    value: str | None
    source: int


@dataclass(frozen=True, slots=True)
class DescribedConfig:
    """One setting, its value and where that comes from."""

    name: str
    value: str | None
    read_only: bool
    config_source: int
    config_type: int
    is_sensitive: bool = False
    synonyms: tuple[ConfigSynonym, ...] = ()
    documentation: str | None = None


@dataclass(frozen=True, slots=True)
class DescribedConfigs:
    """The settings of one topic or broker."""

    resource_type: int
    resource_name: str
    error_code: Code = Code.NONE
    error_message: str | None = None
    configs: tuple[DescribedConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class DescribeConfigsAnswer:
    """All settings that were asked for."""

    results: tuple[DescribedConfigs, ...]


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """A change of one setting: 0 sets it, 1 takes it back to its default, 2 and 3 add to and take from a list."""

    name: str
    value: str | None = None
    config_operation: int = 0


@dataclass(frozen=True, slots=True)
class ConfigChanges:
    """The changes of one topic or broker."""

    resource_type: int
    resource_name: str
    configs: tuple[ConfigChange, ...]


@dataclass(frozen=True, slots=True)
class AlterConfigsRequest:
    """Change settings: one by one, or (the older request) all of a resource at once."""

    resources: tuple[ConfigChanges, ...]
    validate_only: bool = False


@dataclass(frozen=True, slots=True)
class AlteredConfigs:
    """What became of one resource's changes."""

    resource_type: int
    resource_name: str
    error_code: Code = Code.NONE
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class AlterConfigsAnswer:
    """What became of all changes."""

    responses: tuple[AlteredConfigs, ...]


@dataclass(frozen=True, slots=True)
class ListConfigResourcesRequest:
    """Ask which resources of some types have settings."""

    resource_types: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigResource:
    """A resource that has settings."""

    resource_name: str
    resource_type: int = 16


@dataclass(frozen=True, slots=True)
class ListConfigResourcesAnswer:
    """The resources that have settings."""

    config_resources: tuple[ConfigResource, ...]
    error_code: Code = Code.NONE
