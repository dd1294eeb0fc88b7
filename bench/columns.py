"""What columns and validation cost: nanoseconds per message, and the ratio to bare upb, in paired, interleaved rounds.

    python bench/columns.py [--rounds N]

Where ptars is installed, its way from payloads to a record batch is shown beside ours; it is given bare payloads.
"""

from __future__ import annotations

import argparse
import statistics
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from serdes import HEAD, MEDIUM, MEDIUM_TEXT, SMALL, SMALL_TEXT

from protopact import Deserializer, Serializer, connect_registry, load_schema

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 2000
RULES = 'import "buf/validate/validate.proto";'


def ratio(bare: Callable[[], object], call: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Give the nanoseconds per message of a call, and its ratio to a bare one."""
    took: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        pair = []
        for each in (bare, call):
            start = time.perf_counter()
            each()
            pair.append((time.perf_counter() - start) / ROWS * 1e9)
        took.append((pair[0], pair[1]))
    del took[0]  # it made what is made once
    return statistics.median(ns for _, ns in took), statistics.median(ns / base for base, ns in took)


def ptars_path(cls: Any, payloads: list[bytes]) -> Callable[[], object] | None:
    if find_spec("ptars") is None:
        return None
    import ptars

    config = ptars.PtarsConfig(timestamp_unit="us", enum_repr="string")
    handler = ptars.HandlerPool([cls.DESCRIPTOR.file], config=config).get_for_message(cls.DESCRIPTOR)
    return lambda: handler.list_to_record_batch(payloads)


def validated(text: str) -> str:
    """Give a message's text with a rule for its id and name."""
    ruled = text.replace("int64 id = 1;", "int64 id = 1 [(buf.validate.field).int64.gt = 0];")
    return ruled.replace(
        "string name = 2;", "string name = 2 [(buf.validate.field).string = {min_len: 1, max_len: 99}];"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    registry = connect_registry("memory:")
    texts = {"Small": (SMALL_TEXT + MEDIUM_TEXT, SMALL), "Medium": (MEDIUM_TEXT, MEDIUM)}
    for name, (text, value) in texts.items():
        schema = load_schema(HEAD + RULES + validated(text), file_name=f"{name.lower()}.proto").for_message(name)
        cls: Any = schema.message_class
        write = Serializer(registry, schema).bind(name)
        raw, payload = write(value), schema.serialize(value)
        raws, payloads = [raw] * ROWS, [payload] * ROWS
        columns = Deserializer(registry)
        read = Deserializer(registry).bind(name)
        read_valid = Deserializer(registry, validate=True).bind(name)
        paths: dict[str, Callable[[], object] | None] = {
            "records → table": lambda c=columns, r=raws: c.deserialize_many(r),
            "payloads → batch, ptars": ptars_path(cls, payloads),
            "wire → message": lambda r=read, x=raws: [r(raw) for raw in x],
            "wire → message, validated": lambda r=read_valid, x=raws: [r(raw) for raw in x],
        }
        for path, call in paths.items():
            if call is not None:
                ns, times = ratio(lambda c=cls, p=payloads: [c.FromString(each) for each in p], call, rounds)
                print(f"{name:8}{path:28}{ns:9.0f} ns{times:8.2f} x")


if __name__ == "__main__":
    main()
