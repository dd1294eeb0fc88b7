"""The way to librdkafka: its import, its clients with safe defaults, its log and its errors in our words."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from protopact.errors import BrokerError, ConfigError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
    from confluent_kafka.admin import AdminClient

C = TypeVar("C")

# Any mapping of librdkafka's properties (`{"bootstrap.servers": …}`), or the bootstrap servers alone as text.
KafkaConf: TypeAlias = Mapping[str, object] | str

logger = logging.getLogger("protopact.kafka")
logger.addHandler(logging.NullHandler())  # silent until a program sets up logging: connection retries repeat endlessly

# Someone who sets one of these has decided how safe writing is; idempotence contradicts some of their values.
_SAFETY = frozenset(
    {
        "acks",
        "enable.idempotence",
        "max.in.flight",
        "max.in.flight.requests.per.connection",
        "message.send.max.retries",
        "queuing.strategy",
        "request.required.acks",
        "retries",
        "transactional.id",
    }
)

_HINTS = {
    "GROUP_AUTHORIZATION_FAILED": "ask for read access to the consumer group",
    "INVALID_REPLICATION_FACTOR": "the cluster has fewer brokers than replicas were asked for",
    "MSG_SIZE_TOO_LARGE": "raise message.max.bytes of the producer and max.message.bytes of the topic",
    "NOT_ENOUGH_REPLICAS": "too few replicas are in sync for the topic's min.insync.replicas",
    "SASL_AUTHENTICATION_FAILED": "check sasl.mechanism, sasl.username and sasl.password",
    "TOPIC_AUTHORIZATION_FAILED": "ask for access to the topic",
    "UNKNOWN_TOPIC_OR_PART": "create the topic with ensure_topics",
    "_ALL_BROKERS_DOWN": "check bootstrap.servers and security.protocol, and that a broker runs there",
    "_AUTHENTICATION": "check sasl.mechanism, sasl.username and sasl.password",
    "_MSG_TIMED_OUT": "the record may or may not have been written; check that the brokers can be reached",
    "_RESOLVE": "check the host names in bootstrap.servers",
    "_SSL": "check the ssl.* properties and that the listener speaks TLS",
    "_TIMED_OUT": "check that the brokers can be reached, or give more time",
    "_TRANSPORT": "check bootstrap.servers and security.protocol, and that a broker runs there",
    "_UNKNOWN_TOPIC": "create the topic with ensure_topics",
}


def confluent_kafka() -> ModuleType:
    """Import confluent-kafka; `MissingExtraError` where it is not installed."""
    try:
        return import_module("confluent_kafka")
    except ImportError as error:
        raise MissingExtraError(
            f"Kafka needs the package confluent-kafka, which cannot be imported: {error}",
            option="kafka",
            hint="pip install 'protopact[kafka]'",
        ) from error


def kafka_exception() -> type[KafkaException]:
    """Give the class that librdkafka's failures are raised as, for an `except` clause."""
    found: type[KafkaException] = confluent_kafka().KafkaException
    return found


def properties(conf: KafkaConf) -> dict[str, object]:
    """Give a fresh dict of properties: text stands for the bootstrap servers alone."""
    return {"bootstrap.servers": conf} if isinstance(conf, str) else dict(conf)


def new_producer(conf: KafkaConf, defaults: Mapping[str, object] | None = None) -> Producer:
    """Give a producer with `acks=all` and `enable.idempotence` unless the configuration decides about safety itself.

    `defaults` are properties of lower rank than the configuration's own. Raises `ConfigError` for a property that
    librdkafka refuses.
    """
    chosen = properties(conf)
    safe = {} if _SAFETY & chosen.keys() else {"acks": "all", "enable.idempotence": True}
    kind: type[Producer] = confluent_kafka().Producer
    return _client(kind, {**safe, **(defaults or {}), **chosen})


def needs_producer_id(conf: KafkaConf) -> bool:
    """Say whether a configuration's producer is idempotent: it sends nothing before a broker has given it an id."""
    chosen = properties(conf)
    return str(chosen.get("enable.idempotence", not _SAFETY & chosen.keys())).lower() in {"true", "1"}


def new_consumer(
    conf: KafkaConf,
    *,
    group_id: str,
    on_error: Callable[[KafkaError], None],
    on_commit: Callable[[KafkaError | None, list[TopicPartition]], None],
) -> Consumer:
    """Give a consumer that commits nothing by itself and, in a new group, starts with the first record.

    Raises `ConfigError` where the configuration asks for automatic commits, or for a property that librdkafka refuses.
    """
    chosen = properties(conf)
    if str(chosen.get("enable.auto.commit", False)).lower() not in {"false", "0"}:
        raise ConfigError(
            "enable.auto.commit would commit records before they are processed",
            option="enable.auto.commit",
            hint="leave it out: records are committed after their handler has returned",
        )
    theirs = chosen.pop("error_cb", None)

    def report(error: KafkaError) -> None:
        on_error(error)
        if callable(theirs):
            theirs(error)

    fixed = {"group.id": group_id, "enable.auto.commit": False, "error_cb": report, "on_commit": on_commit}
    kind: type[Consumer] = confluent_kafka().Consumer
    return _client(kind, {"auto.offset.reset": "earliest", **chosen, **fixed})


def new_admin(conf: KafkaConf) -> AdminClient:
    """Give a client for topics. Raises `ConfigError` for a property that librdkafka refuses."""
    confluent_kafka()
    kind: type[AdminClient] = import_module("confluent_kafka.admin").AdminClient
    return _client(kind, properties(conf))


def _client(kind: Callable[[dict[str, object]], C], conf: dict[str, object]) -> C:
    conf.setdefault("logger", logger)
    conf.setdefault("error_cb", _log_error)
    try:
        return kind(conf)
    except (kafka_exception(), TypeError, ValueError) as error:
        reason = error.args[0].str().strip() if isinstance(error, kafka_exception()) else str(error)
        named = re.search(r'"([\w.]+)"', reason)
        raise ConfigError(
            f"librdkafka refuses the configuration: {reason}",
            option=named.group(1) if named else "",
            hint="its properties are listed in librdkafka's CONFIGURATION.md",
        ) from error


def _log_error(error: KafkaError) -> None:
    logger.warning("%s: %s", error.name(), error.str())


def broker_error(what: str, error: KafkaError, *, topic: str = "") -> BrokerError:
    """Word a failure of librdkafka: what failed, the code's name and the reason, with a remedy where one is known."""
    name = error.name()
    return BrokerError(f"{what}: {error.str().strip()} ({name})", topic=topic, hint=_HINTS.get(name, ""))


@contextmanager
def broker_errors(what: str, *, topic: str = "") -> Iterator[None]:
    """Turn librdkafka's exceptions inside the block into `BrokerError`."""
    try:
        yield
    except kafka_exception() as error:
        raise broker_error(what, error.args[0], topic=topic) from error
