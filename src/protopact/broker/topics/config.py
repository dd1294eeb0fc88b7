"""What can be set for a topic: each setting with its kind, its default and its bounds, in one table.

A setting is in the table when it does something here. Some of Kafka's others change nothing that a client could see of
one broker without compaction: scripts may set them, they are shown again, and the log says that they have no effect.
The rest is refused by name: a setting that is kept and ignored is believed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from protopact.broker.codes import Code
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from protopact.settings import BrokerSettings

logger = logging.getLogger("protopact.broker")

_INT_MAX = 2**31 - 1
_LONG_MAX = 2**63 - 1
_WEEK_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its kind, its default, and the values that it can take (choices, or a range)."""

    name: str
    kind: Literal["int", "long", "text", "list"]
    default: Callable[[BrokerSettings], object]
    documentation: str
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = _LONG_MAX
    broker_name: str = ""

    def check(self, value: str) -> None:
        """Refuse a value that the setting cannot take."""
        if self.kind in {"int", "long"}:
            if not _is_whole(value) or not self.least <= int(value) <= self.most:
                raise _refused(f"{self.name} takes a whole number from {self.least} to {self.most}, not {value!r}")
        elif value not in self.choices:
            raise _refused(f"{self.name} takes {' or '.join(self.choices)}, not {value!r}")


SETTINGS: Mapping[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(
            "cleanup.policy",
            "list",
            lambda _: "delete",
            "old records are deleted; compaction is not done here",
            choices=("delete",),
            broker_name="log.cleanup.policy",
        ),
        Setting(
            "compression.type",
            "text",
            lambda _: "producer",
            "record batches stay as the producer compressed them",
            choices=("producer",),
            broker_name="compression.type",
        ),
        Setting(
            "max.message.bytes",
            "int",
            lambda broker: broker.message_bytes_max,
            "the largest record batch that is taken, in bytes",
            most=_INT_MAX,
            broker_name="message.max.bytes",
        ),
        Setting(
            "message.timestamp.type",
            "text",
            lambda _: "CreateTime",
            "whether a record carries the producer's time or that of its arrival",
            choices=("CreateTime", "LogAppendTime"),
            broker_name="log.message.timestamp.type",
        ),
        Setting(
            "min.insync.replicas",
            "int",
            lambda _: 1,
            "there is one replica: more can be asked for only where more brokers are",
            least=1,
            most=1,
            broker_name="min.insync.replicas",
        ),
        Setting(
            "retention.bytes",
            "long",
            lambda broker: broker.retention_bytes,
            "a partition's size from which on its oldest segments go; -1: no bound",
            least=-1,
            broker_name="log.retention.bytes",
        ),
        Setting(
            "retention.ms",
            "long",
            lambda broker: broker.retention_ms,
            "how old a segment's newest record may be, in milliseconds; -1: for ever",
            least=-1,
            broker_name="log.retention.ms",
        ),
        Setting(
            "segment.bytes",
            "int",
            lambda broker: broker.segment_bytes,
            "the size of a segment file, in bytes",
            least=14,
            most=_INT_MAX,
            broker_name="log.segment.bytes",
        ),
        Setting(
            "segment.ms",
            "long",
            lambda _: _WEEK_MS,
            "the age at which a segment is closed though it is not full, in milliseconds",
            least=1,
            broker_name="log.roll.ms",
        ),
    )
}
"""Every setting of a topic that does something here."""

WITHOUT_EFFECT = frozenset(
    {
        "delete.retention.ms",
        "file.delete.delay.ms",
        "flush.messages",
        "flush.ms",
        "follower.replication.throttled.replicas",
        "index.interval.bytes",
        "leader.replication.throttled.replicas",
        "max.compaction.lag.ms",
        "min.cleanable.dirty.ratio",
        "min.compaction.lag.ms",
        "preallocate",
        "segment.index.bytes",
        "segment.jitter.ms",
        "unclean.leader.election.enable",
    }
)

_REASONS = {
    "cleanup.policy": "the embedded broker does not compact",
    "compression.type": "the embedded broker does not compress anew",
}


@dataclass(frozen=True, slots=True)
class TopicConfig:
    """What holds for a topic: its own values over the broker's defaults."""

    own: Mapping[str, str]
    broker: BrokerSettings

    def text(self, name: str) -> str:
        """Give a value as text, as it is shown to clients."""
        found = self.own.get(name)
        return str(SETTINGS[name].default(self.broker)) if found is None else found

    def number(self, name: str) -> int:
        """Give the value of a setting that is a whole number."""
        return int(self.text(name))

    @property
    def log_append_time(self) -> bool:
        """Whether records carry the time of their arrival."""
        return self.text("message.timestamp.type") == "LogAppendTime"


def check_config(values: Mapping[str, str]) -> None:
    """Refuse with INVALID_CONFIG names that are not in the table, and values that a setting cannot take."""
    for name, value in values.items():
        if name in WITHOUT_EFFECT:
            logger.warning("the topic setting %s=%s has no effect in the embedded broker", name, value)
            continue
        setting = SETTINGS.get(name)
        if setting is None:
            raise _refused(f"the embedded broker has no topic setting {name!r}", hint=f"it has {', '.join(SETTINGS)}")
        try:
            setting.check(value)
        except RefusedRequestError as refusal:
            reason = _REASONS.get(name)
            raise refusal if reason is None else _refused(f"{refusal}: {reason}") from None


def _is_whole(value: str) -> bool:
    digits = value.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < len(str(_LONG_MAX)) + 1


def _refused(message: str, *, hint: str = "") -> RefusedRequestError:
    return RefusedRequestError(message, error_code=Code.INVALID_CONFIG, hint=hint)
