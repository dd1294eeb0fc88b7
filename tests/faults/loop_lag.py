"""Run by `test_large_payloads.py`, in a process of its own: how long an event loop waits while a payload is read.

    python loop_lag.py BOMB MIBIBYTES STEP_BYTES [ITEMS_MAX]

With ITEMS_MAX, the most items of a list, records are read into dicts, and the bomb has to be refused.

Prints the longest time between two turns of a task that sleeps a millisecond, in processor time of the process: while
the loop waits, that is what the thread which reads has used, and not what the machine does besides.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from protopact import load_schema
from protopact.errors import DecodeError
from protopact.framing import encode_varint
from protopact.serdes import AsyncDeserializer
from protopact.settings import SerdeSettings

NODE = load_schema("""
    syntax = "proto3";
    import "google/protobuf/any.proto";
    message Node {
      repeated Node nodes = 1;
      Node node = 2;
      map<string, int32> counts = 3;
      map<string, Node> by_name = 4;
      repeated int32 numbers = 5;
      google.protobuf.Any any = 6;
    }
    """)
CHAIN = 30


def delimited(number: int, content: bytes) -> bytes:
    return encode_varint(number << 3 | 2) + encode_varint(len(content)) + content


def empty_messages(size: int) -> bytes:
    return b"\x0a\x00" * (size // 2)


def any_chain(size: int) -> bytes:
    payload = empty_messages(size)
    for _ in range(CHAIN):
        payload = delimited(6, delimited(1, b"type.googleapis.com/Node") + delimited(2, payload))
    return payload


BOMBS = {
    "empty": empty_messages,
    "map": lambda size: b"".join(delimited(3, delimited(1, b"%06x" % n) + b"\x10\x01") for n in range(size // 12)),
    "packed": lambda size: delimited(5, b"\x01" * size),
    "any": any_chain,
    "inner": lambda size: delimited(2, empty_messages(size)),
    "element": lambda size: delimited(1, empty_messages(size)),
    "entry": lambda size: delimited(4, delimited(1, b"name") + delimited(2, empty_messages(size))),
}


async def longest_wait_s(payload: bytes, step_bytes: int, items_max: int | None) -> float:
    settings = SerdeSettings(message_bytes_max=len(payload), step_bytes_max=step_bytes, repeated_items_max=items_max)
    into = None if items_max is None else dict
    reader: AsyncDeserializer[Any] = AsyncDeserializer(
        None, framing="raw", topics={"*": NODE}, into=into, settings=settings
    )
    read = reader.bind("t")
    await read(payload[:0])
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        last = time.process_time()
        while True:
            await asyncio.sleep(0.001)
            now = time.process_time()
            longest, last = max(longest, now - last), now

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    try:
        assert await read(payload) is not None
        assert items_max is None
    except DecodeError:
        assert items_max is not None
    await asyncio.sleep(0.01)
    watching.cancel()
    return longest


if __name__ == "__main__":
    bomb, mebibytes, step, *items = sys.argv[1:]
    items_max = int(items[0]) if items else None
    print(asyncio.run(longest_wait_s(BOMBS[bomb](int(mebibytes) << 20), int(step), items_max)))  # noqa: T201
