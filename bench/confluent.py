"""The same messages through protopact and through Confluent's client, each against bare upb, in one process.

    just bench-confluent

Rounds are interleaved: bare upb, ours, theirs, one after the other; each figure is the median over all rounds. Both
clients have the schema registered before the clock starts.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from serdes import HEAD, LARGE, LARGE_TEXT, LOOPS, MEDIUM, MEDIUM_TEXT, SMALL, SMALL_TEXT, timed

from protopact import Deserializer, Serializer, compile_protos, connect_registry, from_dict, schema_of
from protopact.server import background_registry

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 60
TEXTS = {"Small": SMALL_TEXT, "Medium": MEDIUM_TEXT, "Large": LARGE_TEXT + MEDIUM_TEXT}
VALUES = {"Small": SMALL, "Medium": MEDIUM, "Large": LARGE}


def generated_classes(directory: Path) -> dict[str, Any]:
    """Generate and import one module per message: both clients use the same classes."""
    (directory / "protos").mkdir()
    for name, text in TEXTS.items():
        (directory / "protos" / f"{name.lower()}.proto").write_text(HEAD.replace("bench.v1", f"bench.{name}") + text)
    compile_protos(directory / "protos", directory / "bench_messages")
    sys.path.insert(0, str(directory))
    return {name: getattr(importlib.import_module(f"bench_messages.{name.lower()}_pb2"), name) for name in TEXTS}


def paths(name: str, message_class: Any, registry_url: str) -> dict[str, dict[str, Callable[[], object]]]:
    """Give bare, ours and theirs, for writing and for reading."""
    message, topic = from_dict(VALUES[name], message_class), f"bench-{name.lower()}"
    registry = connect_registry(registry_url)
    write = Serializer(registry, schema_of(message_class)).bind(topic)
    read = Deserializer(registry, into=message_class).bind(topic)
    theirs = SchemaRegistryClient({"url": registry_url})
    their_write = ProtobufSerializer(message_class, theirs, {"auto.register.schemas": True})
    their_read = ProtobufDeserializer(message_class, {}, theirs)
    context = SerializationContext(topic, MessageField.VALUE)
    raw, payload = write(message), message.SerializeToString()
    assert their_write(message, context) == raw
    assert read(raw) == their_read(raw, context) == message
    return {
        "write": {
            "bare": message.SerializeToString,
            "ours": lambda: write(message),
            "theirs": lambda: their_write(message, context),
        },
        "read": {
            "bare": lambda: message_class.FromString(payload),
            "ours": lambda: read(raw),
            "theirs": lambda: their_read(raw, context),
        },
    }


def measure(calls: dict[str, Callable[[], object]], loops: int) -> dict[str, float]:
    """Give the ratios of one path: ours and theirs to bare, and theirs to ours."""
    samples = [{who: timed(call, loops) for who, call in calls.items()} for _ in range(ROUNDS)]

    def ratio(one: str, other: str) -> float:
        return statistics.median(sample[one] / sample[other] for sample in samples)

    return {"ours": ratio("ours", "bare"), "theirs": ratio("theirs", "bare"), "faster": ratio("theirs", "ours")}


def main() -> None:
    print(f"{'':8}{'message':10}{'protopact / upb':>17}{'Confluent / upb':>17}{'Confluent / protopact':>23}")
    with tempfile.TemporaryDirectory() as directory, background_registry() as registry_url:
        classes = generated_classes(Path(directory))
        for name, message_class in classes.items():
            for way, calls in paths(name, message_class, registry_url).items():
                found = measure(calls, max(1, LOOPS[name] // 5))
                print(f"{way:8}{name.lower():10}{found['ours']:>17.2f}{found['theirs']:>17.1f}{found['faster']:>23.1f}")


if __name__ == "__main__":
    main()
