"""One run: the messages made ready, every kind of way made for each, and all of them timed in turns."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import google.protobuf

from protopact.connect import connect_registry
from protopact.errors import ConfigError, MissingExtraError
from protopact.measure import ways
from protopact.measure.samples import placed_samples, plain_samples, ruled_samples
from protopact.measure.setting import Setting
from protopact.measure.timing import time_ways

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from protopact.client import SchemaRegistryClient
    from protopact.measure.samples import Sample
    from protopact.measure.setting import Rival
    from protopact.measure.timing import TimeRow, Way

    Samples = Callable[[], Sequence[Sample]]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of ways, the names of their paths, and the messages that they are measured with."""

    make: Callable[[Setting], Iterator[Way]]
    paths: tuple[str, ...]
    families: tuple[Samples, ...] = (plain_samples,)


_KINDS = (
    _Kind(
        ways.message_ways,
        ("message → wire", "wire → message", "wire → message, its class"),
        (plain_samples, placed_samples),
    ),
    _Kind(ways.method_ways, ("message → wire, unbound", "wire → message, unbound")),
    _Kind(ways.latest_ways, ("message → wire, latest schema",)),
    _Kind(ways.dict_ways, ("dict → wire", "wire → dict")),
    _Kind(ways.model_ways, ("model → wire", "wire → model")),
    _Kind(ways.stream_ways, ("length-delimited write", "length-delimited read")),
    _Kind(ways.json_ways, ("message → JSON", "JSON → message")),
    _Kind(ways.column_ways, ("wire → Arrow columns",)),
    _Kind(ways.checked_ways, ("message → wire, validated", "wire → message, validated"), (ruled_samples,)),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run found; `left_out` says why kinds of ways are missing."""

    rows: Sequence[TimeRow]
    rounds: int
    left_out: Sequence[str] = ()
    python: str = field(default_factory=platform.python_version)
    protobuf: str = google.protobuf.__version__


def measure_ways(*, rounds: int = 100, only: Iterable[str] = (), rival: Rival | None = None) -> Measured:
    """Time all ways of values through protopact, each beside bare upb, json_format and others, in one run.

    A row's ratio is the median over all rounds; in each, every way is timed once. `only` keeps the ways whose name and
    message hold one of these texts. A `rival` is measured beside them where it does the same. Ways whose packages are
    not installed are left out; MissingExtraError without protopact[server], whose registry the records name;
    ConfigError for no round, or when `only` keeps nothing.
    """
    if rounds < 1:
        raise ConfigError(f"rounds is {rounds}", option="rounds", hint="use a number from 1 on")
    left_out: list[str] = []
    plain_samples()  # without a compiler there is nothing to measure
    with connect_registry("memory:") as registry:
        made = list(_made(registry, rival, tuple(only), left_out))
        if not made:
            raise ConfigError("no way has such a name", option="only", hint="without it, all are shown")
        rows = time_ways(made, rounds)
    order = [path for kind in _KINDS for path in kind.paths]
    return Measured(sorted(rows, key=lambda row: order.index(row.path)), rounds, left_out)


def _made(
    registry: SchemaRegistryClient, rival: Rival | None, only: tuple[str, ...], left_out: list[str]
) -> Iterator[Way]:
    """Give the wanted ways; nothing is made ready for others."""
    ready: dict[tuple[Samples, str], Setting] = {}
    for kind in _KINDS:
        try:
            for family in kind.families:
                for sample in family():
                    wanted = [path for path in kind.paths if _is_wanted(f"{path} {sample.label}", only)]
                    if not wanted:
                        continue
                    place = family, sample.label
                    if place not in ready:
                        ready[place] = Setting(sample, registry, rival)
                    yield from (way for way in kind.make(ready[place]) if way.path in wanted)
        except MissingExtraError as error:
            left_out.append(f"{error}: {error.hint}" if error.hint else str(error))


def _is_wanted(name: str, only: tuple[str, ...]) -> bool:
    return not only or any(text in name for text in only)
