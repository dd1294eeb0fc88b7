"""Typed limits and addresses. Every default stands here; units come last in a name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from protopact.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

UnknownFields: TypeAlias = Literal["keep", "drop", "refuse"]
"""What is done about fields that a message class does not know."""


@dataclass(frozen=True, slots=True)
class CompilerSettings:
    """Limits of the contained compiler processes.

    `cpu_s` bounds the processor time of one compilation, `wall_s` its elapsed time, `memory_bytes` the address
    space of a worker, `text_bytes_max` the size of one `.proto` text, `depth_max` the nesting that the pre-scan
    lets through, `reserved_numbers_max` the numbers and ranges that may stand in a text's `reserved` and `extensions`
    statements, `workers_max` the number of worker processes, `jobs_max` the compilations that one of them serves
    before a fresh one takes its place. `prescan` only saves time and memory: containment does not depend on it.
    """

    cpu_s: float = 1.0
    wall_s: float = 10.0
    memory_bytes: int = 256 * 1024 * 1024
    text_bytes_max: int = 1024 * 1024
    depth_max: int = 64
    reserved_numbers_max: int = 38_000
    workers_max: int = 2
    jobs_max: int = 10_000
    prescan: bool = True


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Limits of a registry client.

    `timeout_s` bounds one request, `retries_max` the tries after the first, with full-jitter waits between
    `retry_delay_s_min` and `retry_delay_s_max`; a server's `Retry-After` is honoured up to `retry_after_s_max`, and a
    longer one ends the tries. `reply_bytes_max` bounds one answer, `cache_entries_max` each cache; `latest_ttl_s` is
    how long "latest" is believed, `missing_ttl_s` how long an id that was not found is believed to be unknown.
    """

    timeout_s: float = 10.0
    retries_max: int = 3
    retry_delay_s_min: float = 0.1
    retry_delay_s_max: float = 5.0
    retry_after_s_max: float = 30.0
    reply_bytes_max: int = 32 * 1024 * 1024
    cache_entries_max: int = 1000
    latest_ttl_s: float = 60.0
    missing_ttl_s: float = 1.0


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Limits of the registry server.

    `body_bytes_max` bounds a request's body, `bodies_bytes_max` all bodies at a time, and `body_s` how long one may
    take to arrive; `head_bytes_max` and `head_s` the same for what comes before the body. `keep_alive_s` is how long a
    connection waits for its next request, `write_s` how long a client may take nothing of its answer,
    `connections_max` bounds the connections, `concurrency_max` the requests served at a time, and `drain_s` how long a
    stop waits for requests in flight; `reply_entries_max` and
    `reply_bytes_max` bound the prepared replies kept in memory, `reference_files_max` the files that one schema may
    import, directly or not. `incompatible_code` is the body's code of an incompatible registration: 409, or the 40901
    of Confluent's releases from 8.1.2 on. `mode_mutable` lets modes be changed.
    """

    body_bytes_max: int = 1024 * 1024
    bodies_bytes_max: int = 32 * 1024 * 1024
    body_s: float = 30.0
    head_bytes_max: int = 64 * 1024
    head_s: float = 8.0
    keep_alive_s: float = 30.0
    write_s: float = 30.0
    connections_max: int = 4096
    concurrency_max: int = 512
    drain_s: float = 10.0
    reply_entries_max: int = 10_000
    reply_bytes_max: int = 64 * 1024 * 1024
    reference_files_max: int = 1000
    incompatible_code: int = 409
    mode_mutable: bool = True


@dataclass(frozen=True, slots=True)
class SerdeSettings:
    """Limits of serializers and deserializers; those that are None are not looked at, and cost nothing.

    `message_bytes_max` bounds a payload, written or read: nothing is emitted that the same setting refuses to read.
    `field_bytes_max` bounds each text and each bytes value in a message, `repeated_items_max` the items of each list
    and the entries of each map, at any depth. `unknown_fields` says what becomes of fields that the message class does
    not know: they are kept, dropped, or a reason to refuse the message. With `allow_partial` a message may lack
    required fields. Without `reflection` a deserializer makes no message class from what a registry says: it has to be
    given one. Without `caching` serializers and deserializers keep nothing from one record to the next.

    `latest_ttl_s` is how long a serializer writes with the version that was the latest when it asked. An asynchronous
    deserializer reads records from `thread_bytes_min` on in a thread, and parses at most `step_bytes_max` of a payload
    before the event loop may have its turn.
    """

    message_bytes_max: int = 4 * 1024 * 1024
    field_bytes_max: int | None = None
    repeated_items_max: int | None = None
    unknown_fields: UnknownFields = "keep"
    allow_partial: bool = False
    reflection: bool = True
    caching: bool = True
    latest_ttl_s: float = 60.0
    thread_bytes_min: int = 64 * 1024
    step_bytes_max: int = 64 * 1024

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] | None = None) -> SerdeSettings:
        """Give the settings that the environment states now, in the variables of `SERDE_VARIABLES`.

        The defaults hold for those that are missing or empty; ConfigError, naming the variable, for what cannot be.
        """
        found = os.environ if variables is None else variables
        stated = {name: found[name] for name in SERDE_VARIABLES if found.get(name)}
        return cls(**{SERDE_VARIABLES[name]: _stated(cls, name, text) for name, text in stated.items()})


SERDE_VARIABLES: Final[Mapping[str, str]] = {
    "PROTOBUF_MAX_MESSAGE_SIZE": "message_bytes_max",
    "PROTOBUF_MAX_FIELD_SIZE": "field_bytes_max",
    "PROTOBUF_MAX_REPEATED_FIELD_SIZE": "repeated_items_max",
    "PROTOBUF_ENABLE_REFLECTION": "reflection",
    "PROTOBUF_ENABLE_CACHING": "caching",
}
"""The environment variables that state settings of serializers and deserializers, and which."""

_FLAGS: Final = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)


def _stated(settings: type[SerdeSettings], variable: str, text: str) -> Any:
    if isinstance(getattr(settings(), SERDE_VARIABLES[variable]), bool):
        flag = _FLAGS.get(text.strip().lower())
        if flag is None:
            raise ConfigError(f"{variable} is {text!r}", option=variable, hint=f"use one of {', '.join(_FLAGS)}")
        return flag
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ConfigError(f"{variable} is {text!r}, no number from 1 on", option=variable)
    return number


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Limits and habits of the embedded broker.

    `flush` says when an acknowledged record is safe from a loss of power: `every` before it is acknowledged,
    `interval` within `flush_interval_s` after; a killed process loses nothing either way. `partitions` is what a
    topic gets that does not say, `topics_auto_create` lets clients make topics by naming them. `segment_bytes`,
    `retention_bytes` (for a partition; -1: no bound) and `retention_ms` (-1: for ever) are what a topic's own config
    may change; `retention_check_s` is how often old records are looked for. `index_bytes` is how far apart entries of
    an index stand. `message_bytes_max` bounds a record batch, `request_bytes_max` a request, `requests_bytes_max` all
    that are in memory at a time, `fetch_bytes_max` an answer's records, `answers_bytes_max` what waits to be sent (an
    answer holds one batch at least), `connections_max` the connections; `idle_s` is how long a connection may be
    silent, `request_s` how long it may be so in the middle of a request or of an answer. `producer_idle_s` is how
    long an idempotent producer is remembered, `offsets_retention_s` how long the offsets of a group without members
    are. `rebalance_delay_s` is how long an empty group waits for more members, `session_s_min` and `session_s_max`
    bound what a member may ask for, `members_max` a group.
    """

    flush: Literal["every", "interval"] = "interval"
    flush_interval_s: float = 1.0
    partitions: int = 1
    topics_auto_create: bool = True
    segment_bytes: int = 128 * 1024 * 1024
    retention_bytes: int = -1
    retention_ms: int = 7 * 24 * 3600 * 1000
    retention_check_s: float = 30.0
    index_bytes: int = 4096
    message_bytes_max: int = 32 * 1024 * 1024
    request_bytes_max: int = 64 * 1024 * 1024
    requests_bytes_max: int = 64 * 1024 * 1024
    fetch_bytes_max: int = 16 * 1024 * 1024
    answers_bytes_max: int = 64 * 1024 * 1024
    connections_max: int = 1000
    idle_s: float = 600.0
    request_s: float = 60.0
    producer_idle_s: float = 24 * 3600.0
    offsets_retention_s: float = 7 * 24 * 3600.0
    rebalance_delay_s: float = 0.0
    session_s_min: float = 1.0
    session_s_max: float = 1800.0
    members_max: int = 1000
