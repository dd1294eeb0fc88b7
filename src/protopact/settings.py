"""Typed limits and addresses. Every default stands here; units come last in a name."""

from __future__ import annotations

from dataclasses import dataclass


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
    """Limits of serializers and deserializers.

    `message_bytes_max` bounds a payload, written or read: nothing is emitted that the same setting refuses to read.
    `latest_ttl_s` is how long a serializer writes with the version that was the latest when it asked. An asynchronous
    deserializer reads records from `thread_bytes_min` on in a thread.
    """

    message_bytes_max: int = 4 * 1024 * 1024
    latest_ttl_s: float = 60.0
    thread_bytes_min: int = 64 * 1024
