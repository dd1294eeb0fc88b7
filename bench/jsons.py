"""What JSON costs beside json_format and pydantic: ratios in paired, interleaved rounds, on the medium message.

    python bench/jsons.py [--rounds N]

A round times one way of protopact's and one of the others, one after the other; the ratio is the rounds' median.
pydantic writes and reads a model of the same fields, which is no proto JSON: its int64 are numbers.
"""

from __future__ import annotations

import argparse
import statistics
from datetime import datetime
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from serdes import cases, empty_call_ns, timed

from protopact import from_json, to_dict, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPS = {"small": 200, "medium": 100, "large": 3}


def pydantic_calls(values: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """Give how pydantic writes and reads the medium message, where it is installed."""
    try:
        from pydantic import BaseModel, create_model
    except ImportError:
        return {}
    address = create_model("Address", street=(str, ""), city=(str, ""), country=(str, ""), zip=(int, 0))
    fields: dict[str, Any] = {
        **dict.fromkeys(("name", "email", "status", "phone"), (str, "")),
        **dict.fromkeys(("created_at", "updated_at"), (datetime | None, None)),
        "id": (int, 0),
        "address": (address, None),
        "tags": (list[str], []),
        "labels": (dict[str, str], {}),
    }
    model: type[BaseModel] = create_model("Medium", **fields)
    instance = model.model_validate(values)
    text = instance.model_dump_json()
    return {"write": instance.model_dump_json, "read": lambda: model.model_validate_json(text)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="paired rounds (40)")
    rounds = parser.parse_args().rounds
    print(f"{'message':10}{'way':8}{'beside':14}{'ours ns':>10}{'theirs ns':>12}{'theirs / ours':>15}")
    for case in cases():
        if case.label not in LOOPS:
            continue
        message: Any = case.schema.new_message(case.value)
        cls, text, data = type(message), to_json(message), message.SerializeToString()
        ours: dict[str, Callable[[], object]] = {
            "write": lambda message=message: to_json(message),
            "read": lambda text=text, cls=cls: from_json(text, cls),
        }
        beside = {
            "json_format": {
                "write": lambda message=message: json_format.MessageToJson(message),
                "read": lambda text=text, cls=cls: json_format.Parse(text, cls()),
            },
            "bare upb": {
                "write": message.SerializeToString,
                "read": lambda cls=cls, data=data: cls.FromString(data),
            },
            "pydantic": pydantic_calls(to_dict(message)) if case.label == "medium" else {},
        }
        loops, overhead = LOOPS[case.label], empty_call_ns(2000)
        for name, calls in beside.items():
            for way, call in calls.items():
                pairs = [(timed(ours[way], loops) - overhead, timed(call, loops) - overhead) for _ in range(rounds)]
                mine, other = (statistics.median(each) for each in zip(*pairs, strict=True))
                ratio = statistics.median(theirs / own for own, theirs in pairs)
                print(f"{case.label:10}{way:8}{name:14}{mine:>10.0f}{other:>12.0f}{ratio:>15.2f}")


if __name__ == "__main__":
    main()
