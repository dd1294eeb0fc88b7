"""What models cost: ratios to bare upb, in paired, interleaved rounds; the messages are those of `bench/serdes.py`.

    python bench/models.py [--rounds N]

A path is a payload to a validated model, or a model to a payload; beside it stands what its parts need alone.
"""

from __future__ import annotations

import argparse
import statistics
from datetime import datetime  # noqa: TC003  (pydantic reads the annotations)
from enum import IntEnum
from typing import Any

from pydantic import BaseModel
from serdes import LOOPS, cases, empty_call_ns, timed

from protopact.convert import dict_decoder
from protopact.schema import model_decoder, model_encoder

GOALS = {"Small": 6.0, "Medium": 13.0, "Large": 28.0}


class Status(IntEnum):
    STATUS_UNSPECIFIED = 0
    STATUS_ACTIVE = 1


class Small(BaseModel):
    id: int
    name: str
    score: float


class Address(BaseModel):
    street: str
    city: str
    country: str
    zip: int


class Medium(BaseModel):
    id: int
    name: str
    email: str
    status: Status
    created_at: datetime
    updated_at: datetime
    address: Address
    tags: list[str]
    labels: dict[str, str]
    phone: str | None = None
    handle: str | None = None


class Large(BaseModel):
    items: list[Medium]


MODELS: dict[str, type[BaseModel]] = {"Small": Small, "Medium": Medium, "Large": Large}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100, help="paired rounds per path (100)")
    options = parser.parse_args()
    print(f"{'path':30}{'message':10}{'bare ns':>10}{'ns':>10}{'ratio':>8}{'goal':>7}")
    for case in cases():
        if case.label not in {"small", "medium", "large"}:
            continue
        model_class, cls = MODELS[case.size], case.schema.message_class
        message: Any = case.schema.new_message(case.value)
        payload, parse, write = message.SerializeToString(), cls.FromString, cls.SerializeToString
        read, make = model_decoder(model_class, cls), model_encoder(model_class, cls)
        to_values, model = dict_decoder(cls, enums="number"), read(message)
        values = to_values(message)
        validate = model_class.__pydantic_validator__.validate_python
        assert write(make(model), deterministic=True) == write(message, deterministic=True)
        paths = {
            "wire → model": (lambda: parse(payload), lambda: read(parse(payload))),  # noqa: B023  (used in this round)
            "  of it: message → dict": (lambda: parse(payload), lambda: to_values(message)),  # noqa: B023
            "  of it: validation alone": (lambda: parse(payload), lambda: validate(values)),  # noqa: B023
            "model → wire": (lambda: write(message), lambda: write(make(model))),  # noqa: B023
        }
        loops, overhead = max(2, LOOPS[case.size] // 10), empty_call_ns(2000)
        samples: dict[str, list[tuple[float, float]]] = {name: [] for name in paths}
        for _ in range(options.rounds):
            for name, (bare, call) in paths.items():
                samples[name].append((timed(bare, loops) - overhead, timed(call, loops) - overhead))
        for name, pairs in samples.items():
            ratio = statistics.median(ours / bare for bare, ours in pairs)
            bare_ns, ns = (statistics.median(side) for side in zip(*pairs, strict=True))
            goal = f"{GOALS[case.size]:.1f}" if name == "wire → model" else ""
            print(f"{name:30}{case.label:10}{bare_ns:>10.0f}{ns:>10.0f}{ratio:>8.2f}{goal:>7}")


if __name__ == "__main__":
    main()
