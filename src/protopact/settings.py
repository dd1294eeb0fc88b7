"""Typed limits and addresses. Every default stands here; units come last in a name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CompilerSettings:
    """Limits of the contained compiler processes.

    `cpu_s` bounds the processor time of one compilation, `wall_s` its elapsed time, `memory_bytes` the address
    space of a worker, `text_bytes_max` the size of one `.proto` text, `depth_max` the nesting that the pre-scan
    lets through, `workers_max` the number of worker processes, `jobs_max` the compilations that one of them
    serves before a fresh one takes its place. `prescan` only saves time: containment does not depend on it.
    """

    cpu_s: float = 1.0
    wall_s: float = 10.0
    memory_bytes: int = 256 * 1024 * 1024
    text_bytes_max: int = 1024 * 1024
    depth_max: int = 64
    workers_max: int = 2
    jobs_max: int = 1000
    prescan: bool = True


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Limits of a registry client.

    `timeout_s` bounds one request, `retries_max` the tries after the first, with full-jitter waits between
    `retry_delay_s_min` and `retry_delay_s_max`; a server's `Retry-After` is honoured up to `retry_after_s_max`, and a
    longer one ends the tries. `reply_bytes_max` bounds one answer, `cache_entries_max` each cache; `latest_ttl_s` is
    how long "latest" is believed.
    """

    timeout_s: float = 10.0
    retries_max: int = 3
    retry_delay_s_min: float = 0.1
    retry_delay_s_max: float = 5.0
    retry_after_s_max: float = 30.0
    reply_bytes_max: int = 32 * 1024 * 1024
    cache_entries_max: int = 1000
    latest_ttl_s: float = 60.0


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Limits of the registry server.

    `body_bytes_max` bounds a request's body and `body_s` how long it may take to arrive, `concurrency_max` the
    requests served at a time, `drain_s` how long a stop waits for requests in flight; `reply_entries_max` and
    `reply_bytes_max` bound the prepared replies kept in memory, `reference_files_max` the files that one schema may
    import, directly or not.
    """

    body_bytes_max: int = 1024 * 1024
    body_s: float = 30.0
    concurrency_max: int = 512
    drain_s: float = 10.0
    reply_entries_max: int = 10_000
    reply_bytes_max: int = 64 * 1024 * 1024
    reference_files_max: int = 1000
