"""The demo's data: each row of the shipped files as the value that is published, under a key that names the row."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from protopact.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from protopact.convert import PlainValue
    from protopact.schema import ProtoSchema

_HERE = Path(__file__).parent
_STATION: dict[str, PlainValue] = {
    "id": "USW00024233",
    "name": "Seattle-Tacoma",
    "latitude": 47.4444,
    "longitude": -122.3138,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a data file: where it stands (`seattle-weather.csv:17`, lines from 1) and its value."""

    place: str
    value: dict[str, PlainValue]


def weather_schema() -> ProtoSchema:
    """Load the schema of the demo's records from its `.proto` files."""
    return load_schema(_HERE / "schemas" / "weather" / "v1" / "observation.proto", imports=_HERE / "schemas")


def read_rows() -> Iterator[Row]:
    """Read every row of the data files, in their order."""
    for name, read_value in _FILES.items():
        with (_HERE / "data" / name).open(encoding="utf-8", newline="") as file:
            for line, columns in enumerate(csv.DictReader(file), start=2):
                yield Row(f"{name}:{line}", {"station": _STATION, **read_value(columns)})


def _daily(columns: dict[str, str]) -> dict[str, PlainValue]:
    temperatures: dict[str, PlainValue] = {
        "highest": float(columns["temp_max"]),
        "lowest": float(columns["temp_min"]),
    }
    summary: dict[str, PlainValue] = {
        "weather": f"WEATHER_{columns['weather'].upper()}",
        "temperature_celsius": temperatures,
        "precipitation_mm": float(columns["precipitation"]),
        "wind_metres_per_second": float(columns["wind"]),
    }
    return {"observed_at": _time(columns["date"], "%Y/%m/%d"), "daily": summary}


def _hourly(columns: dict[str, str]) -> dict[str, PlainValue]:
    reading: dict[str, PlainValue] = {"fahrenheit": float(columns["temp"])}
    return {"observed_at": _time(columns["date"], "%Y/%m/%d %H:%M"), "hourly": reading}


def _time(text: str, layout: str) -> datetime:
    # The files name no time zone; the demo reads their times as UTC.
    return datetime.strptime(text, layout).replace(tzinfo=UTC)


_FILES: dict[str, Callable[[dict[str, str]], dict[str, PlainValue]]] = {
    "seattle-weather.csv": _daily,
    "seattle-temps.csv": _hourly,
}
