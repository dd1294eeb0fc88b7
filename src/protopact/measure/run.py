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

    Samples = Callable[[], Iterator[Sample]]
    Kind = Callable[[Setting], Iterator[Way]]

_KINDS: tuple[tuple[Kind, tuple[Samples, ...]], ...] = (
    (ways.message_ways, (plain_samples, placed_samples)),
    (ways.method_ways, (plain_samples,)),
    (ways.dict_ways, (plain_samples,)),
    (ways.model_ways, (plain_samples,)),
    (ways.stream_ways, (plain_samples,)),
    (ways.json_ways, (plain_samples,)),
    (ways.column_ways, (plain_samples,)),
    (ways.checked_ways, (ruled_samples,)),
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
    with connect_registry("memory:") as registry:
        made = [way for way in _made(registry, rival, left_out) if _is_wanted(way, tuple(only))]
        if not made:
            raise ConfigError("no way has such a name", option="only", hint="without it, all are shown")
        rows = time_ways(made, rounds)
    places = {path: place for place, path in reversed(list(enumerate(way.path for way in made)))}
    return Measured(sorted(rows, key=lambda row: places[row.path]), rounds, left_out)


def _made(registry: SchemaRegistryClient, rival: Rival | None, left_out: list[str]) -> Iterator[Way]:
    ready: dict[Samples, list[Setting]] = {}
    for kind, families in _KINDS:
        try:
            for samples in families:
                if samples not in ready:
                    ready[samples] = [Setting(sample, registry, rival) for sample in samples()]
                for setting in ready[samples]:
                    yield from kind(setting)
        except MissingExtraError as error:
            if kind is ways.message_ways:
                raise
            left_out.append(f"{error}: {error.hint}" if error.hint else str(error))


def _is_wanted(way: Way, only: tuple[str, ...]) -> bool:
    return not only or any(text in f"{way.path} {way.message}" for text in only)
