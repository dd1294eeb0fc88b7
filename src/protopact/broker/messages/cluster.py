"""Requests about the cluster: versions, metadata, who coordinates, the broker itself."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from protopact.broker.codes import Code


@dataclass(frozen=True, slots=True)
class VersionsRequest:
    """Ask which requests the broker knows."""

    client_software_name: str = ""
    client_software_version: str = ""


@dataclass(frozen=True, slots=True)
class ApiVersions:
    """The versions of one request that the broker knows."""

    api_key: int
    min_version: int
    max_version: int


@dataclass(frozen=True, slots=True)
class VersionsAnswer:
    """All requests that the broker knows."""

    api_keys: tuple[ApiVersions, ...]
    error_code: Code = Code.NONE
    finalized_features_epoch: int = 0


@dataclass(frozen=True, slots=True)
class WantedTopic:
    """A topic that is asked for by name, or by id from version 10 on."""

    name: str | None = None
    topic_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class MetadataRequest:
    """Ask for topics: none means all of them, or in version 0 an empty list does."""

    topics: tuple[WantedTopic, ...] | None = None
    allow_auto_topic_creation: bool = True


@dataclass(frozen=True, slots=True)
class BrokerPlace:
    """A broker's id and the address under which the asking client reaches it."""

    node_id: int
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class PartitionMetadata:
    """One partition and its leader."""

    partition_index: int
    leader_id: int
    replica_nodes: tuple[int, ...]
    isr_nodes: tuple[int, ...]
    leader_epoch: int = 0
    error_code: Code = Code.NONE


@dataclass(frozen=True, slots=True)
class TopicMetadata:
    """One topic and its partitions."""

    name: str | None
    error_code: Code = Code.NONE
    topic_id: UUID | None = None
    partitions: tuple[PartitionMetadata, ...] = ()
    topic_authorized_operations: int = -(2**31)


@dataclass(frozen=True, slots=True)
class MetadataAnswer:
    """The brokers and the topics that were asked for."""

    brokers: tuple[BrokerPlace, ...]
    cluster_id: str
    controller_id: int
    topics: tuple[TopicMetadata, ...]
    cluster_authorized_operations: int = -(2**31)


@dataclass(frozen=True, slots=True)
class CoordinatorRequest:
    """Ask who coordinates groups (key type 0); one key up to version 3, several after."""

    key: str = ""
    key_type: int = 0
    coordinator_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coordinator:
    """Who coordinates one key."""

    key: str
    node_id: int = -1
    host: str = ""
    port: int = -1
    error_code: Code = Code.NONE
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class CoordinatorAnswer:
    """Who coordinates: the fields up to version 3, and the list that came after."""

    node_id: int
    host: str
    port: int
    error_code: Code
    error_message: str | None
    coordinators: tuple[Coordinator, ...]


@dataclass(frozen=True, slots=True)
class ClusterRequest:
    """Ask for the cluster; type 1 means its brokers, 2 its controllers."""

    endpoint_type: int = 1


@dataclass(frozen=True, slots=True)
class ClusterBroker:
    """A broker's id and address."""

    broker_id: int
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ClusterAnswer:
    """The cluster and its brokers."""

    cluster_id: str
    controller_id: int
    brokers: tuple[ClusterBroker, ...]
    error_code: Code = Code.NONE
    error_message: str | None = None
    endpoint_type: int = 1
    cluster_authorized_operations: int = -(2**31)


@dataclass(frozen=True, slots=True)
class LogDirTopic:
    """Partitions whose size is asked for."""

    topic: str
    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LogDirsRequest:
    """Ask how large partitions are: none means all of them."""

    topics: tuple[LogDirTopic, ...] | None = None


@dataclass(frozen=True, slots=True)
class SizedPartition:
    """A partition's size in bytes."""

    partition_index: int
    partition_size: int


@dataclass(frozen=True, slots=True)
class SizedTopic:
    """The sizes of one topic's partitions."""

    name: str
    partitions: tuple[SizedPartition, ...]


@dataclass(frozen=True, slots=True)
class LogDir:
    """The data directory and what is in it; -1 where a size is not known."""

    log_dir: str
    topics: tuple[SizedTopic, ...]
    error_code: Code = Code.NONE
    total_bytes: int = -1
    usable_bytes: int = -1


@dataclass(frozen=True, slots=True)
class LogDirsAnswer:
    """The data directories."""

    results: tuple[LogDir, ...]
    error_code: Code = Code.NONE
