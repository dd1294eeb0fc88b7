"""Many records → Arrow tables: read by their writers' schemas, a bad one named by its place, the others kept.

Records are read in chunks, each into the writer's messages and then into a record batch. The columns are those of one
message class: the wanted one, or that of the newest schema met so far, which is the one of the greatest id. What older
writers wrote is read by it too, as Protobuf reads by field numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict, cast

from google.protobuf.message import DecodeError as WireDecodeError, Message

from protopact.convert import check_columns, column_writer
from protopact.errors import (
    ConfigError,
    ConversionError,
    DecodeError,
    FramingError,
    RecordFailure,
    RecordsError,
    RuleError,
    RuleEvaluationError,
    RuleViolationError,
    SerdeError,
    WrongTypeError,
)
from protopact.flow import blocking, perform_async
from protopact.framing import decode_prefix
from protopact.serdes.options import refuse_unknown
from protopact.serdes.plan import UnplannedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    import pyarrow as pa

    from protopact.convert import ColumnWriter, Enums, TimeUnit
    from protopact.flow import Flow
    from protopact.serdes.headers import AnyHeaders

OnError: TypeAlias = "Literal['raise', 'skip'] | Callable[[RecordFailure], object]"
"""What is done about bad records: RecordsError for all of them, nothing, or a call for each."""

Record: TypeAlias = "bytes | tuple[bytes | None, AnyHeaders | None] | None"
"""A record's bytes; or these and its headers, where these may name its schema."""

Records: TypeAlias = "Sequence[Record]"

_MISSING = object()

BATCH_ROWS = 16_384
"""Records in a batch: their messages are in memory at the same time."""


class ManyKeywords(TypedDict, total=False):
    """The options of reading many records."""

    enums: Enums
    time_unit: TimeUnit
    on_error: OnError
    index: str | None


@dataclass(frozen=True, slots=True)
class ManyOptions:
    """What is made of many records; the errors of wrong options are raised here."""

    enums: Enums = "name"
    time_unit: TimeUnit = "us"
    on_error: OnError = "raise"
    index: str | None = None
    batch_rows: int = BATCH_ROWS

    def __post_init__(self) -> None:
        """Check them all."""
        if self.on_error not in ("raise", "skip") and not callable(self.on_error):
            raise ConfigError(
                f"on_error is {self.on_error!r}", option="on_error", hint="use 'raise', 'skip', or a function"
            )
        if self.index is not None and not isinstance(self.index, str):
            raise ConfigError(f"index is {self.index!r}, no column's name", option="index")
        if not isinstance(self.batch_rows, int) or isinstance(self.batch_rows, bool) or self.batch_rows < 1:
            raise ConfigError(f"batch_rows is {self.batch_rows!r}, no number from 1 on", option="batch_rows")

        check_columns(self.enums, self.time_unit)

    def writer(self, message_class: type[Message]) -> ColumnWriter:
        """Give the writer of columns for a class."""
        writer = column_writer(message_class, enums=self.enums, time_unit=self.time_unit)
        if self.index is not None and self.index in writer.schema.names:
            raise ConfigError(
                f"{message_class.DESCRIPTOR.full_name} has a field {self.index!r}",
                option="index",
                hint="use another name",
            )
        return writer


def many_options(given: ManyKeywords, batch_rows: int = BATCH_ROWS) -> ManyOptions:
    """Give the options that a caller gave; ConfigError for those that are wrong or unknown."""
    refuse_unknown(given, ManyKeywords.__annotations__)
    return ManyOptions(**given, batch_rows=batch_rows)


@dataclass(slots=True)
class Chunk:
    """Some of the records, and what became of them: rows of a class's columns, and failures."""

    start: int
    records: Records
    message_class: type[Message] | None = None
    batch: pa.RecordBatch | None = None
    failures: list[RecordFailure] = field(default_factory=list)


@dataclass(slots=True)
class _Rows:
    """Messages that were read, and the places of their records."""

    messages: list[Message] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)

    def halves(self) -> tuple[_Rows, _Rows]:
        """Give the first half and the second."""
        at = len(self.messages) // 2
        return (
            _Rows(self.messages[:at], self.indexes[:at]),
            _Rows(self.messages[at:], self.indexes[at:]),
        )


class Columns:
    """Reads chunks of records; remembers the newest class that was met."""

    def __init__(
        self,
        read: Callable[[Record], Message | None],
        id_of: Callable[[Record], int],
        wanted: type[Message] | None,
        options: ManyOptions,
    ) -> None:
        """Take what reads one record into a message, what tells its schema's id, and the class that is wanted, if any.

        Both functions may raise UnplannedError.
        """
        self._read, self._id_of, self._options = read, id_of, options
        self._is_fixed = wanted is not None
        self.newest = wanted
        self._ids: dict[type[Message], int] = {}
        if wanted is not None:
            options.writer(wanted)  # refuses now what it would refuse later

    def chunk(self, start: int, records: Records) -> Chunk:
        """Read some records; UnplannedError when a schema has to be fetched first, by whoever can wait."""
        chunk = Chunk(start, records)
        rows = self._messages(chunk)
        cls = chunk.message_class = self.newest
        if cls is not None:
            rows = self._of_class(rows, cls, chunk.failures)
            chunk.batch = self._batch(rows, cls, chunk.failures)
            chunk.failures.sort(key=lambda failure: failure.index)
        return chunk

    def again(self, chunk: Chunk) -> Chunk:
        """Give a chunk by the newest class, reading it once more when it was read by an older one."""
        if chunk.message_class is self.newest:
            return chunk
        return self.chunk(chunk.start, chunk.records)

    def _messages(self, chunk: Chunk) -> _Rows:
        read, rows, newest = self._read, _Rows(), self.newest
        add, add_index = rows.messages.append, rows.indexes.append
        for index, record in enumerate(chunk.records, chunk.start):
            try:
                message = read(record)
                if message is None:
                    continue
                if type(message) is not newest:
                    self._meet(type(message), record)
                    newest = self.newest
            except UnplannedError:
                raise
            except (SerdeError, RuleViolationError, RuleEvaluationError) as error:
                chunk.failures.append(_failure(index, error))
                continue
            add(message)
            add_index(index)
        return rows

    def _meet(self, cls: type[Message], record: Record) -> None:
        """Take note of a class: the newest one gives the columns. WrongTypeError for another message than before."""
        newest = self.newest
        if newest is not None and cls.DESCRIPTOR.full_name != newest.DESCRIPTOR.full_name:
            raise WrongTypeError(
                f"the record holds {cls.DESCRIPTOR.full_name}, the columns are those of {newest.DESCRIPTOR.full_name}",
                hint="give into= the message class that is wanted, or read each type's records by themselves",
            )
        if cls not in self._ids:
            self._ids[cls] = self._id_of(record)
        if newest is None or (not self._is_fixed and self._ids[cls] > self._ids[newest]):
            self.newest = cls

    def _of_class(self, rows: _Rows, cls: type[Message], failures: list[RecordFailure]) -> _Rows:
        """Give all messages as ones of a class: those of another version are read by it, by field numbers."""
        if len(self._ids) <= 1:
            return rows
        fitting = _Rows()
        for message, index in zip(rows.messages, rows.indexes, strict=True):
            try:
                fits = message if type(message) is cls else cls.FromString(message.SerializeToString())
            except WireDecodeError as error:
                failures.append(
                    _failure(
                        index, DecodeError(f"the newest writer's {cls.DESCRIPTOR.full_name} cannot read it: {error}")
                    )
                )
            else:
                fitting.messages.append(fits)
                fitting.indexes.append(index)
        return fitting

    def _batch(self, rows: _Rows, cls: type[Message], failures: list[RecordFailure]) -> pa.RecordBatch:
        writer = self._options.writer(cls)
        try:
            batch = writer.batch(rows.messages)
        except ConversionError:
            rows = _without_misfits(writer, rows, failures)
            batch = writer.batch(rows.messages)
        name = self._options.index
        return batch if name is None else _with_index(batch, name, rows.indexes)


def _without_misfits(writer: ColumnWriter, rows: _Rows, failures: list[RecordFailure]) -> _Rows:
    """Give the rows without those that fit no column; found by halves, since a batch does not say which they are."""
    good, todo = _Rows(), [rows]
    while todo:
        part = todo.pop()
        try:
            writer.batch(part.messages)
        except ConversionError as error:
            if len(part.messages) == 1:
                failures.append(_failure(part.indexes[0], DecodeError(str(error), hint=error.hint)))
            else:
                todo.extend(reversed(part.halves()))
        else:
            good.messages += part.messages
            good.indexes += part.indexes
    return good


def _with_index(batch: pa.RecordBatch, name: str, indexes: list[int]) -> pa.RecordBatch:
    import pyarrow as pa

    column = pa.field(name, pa.int64(), nullable=False)
    return pa.RecordBatch.from_arrays(
        [*batch.columns, pa.array(indexes, pa.int64())], schema=batch.schema.append(column)
    )


def with_headers(raws: Iterable[bytes | None], headers: Iterable[AnyHeaders | None] | None) -> Iterable[Record]:
    """Give records with their headers, one of these for each; ConfigError, when it shows, for fewer or more."""
    return raws if headers is None else _paired(raws, headers)


def _paired(raws: Iterable[bytes | None], headers: Iterable[AnyHeaders | None]) -> Iterator[Record]:
    for raw, its in zip_longest(raws, headers, fillvalue=_MISSING):
        if raw is _MISSING or its is _MISSING:
            raise ConfigError(
                f"there are {'fewer' if its is _MISSING else 'more'} headers than records",
                option="headers",
                hint="give each record's headers, None for one without",
            )
        yield cast("Record", (raw, its))


def prefix_id(raw: bytes) -> int:
    """Give the id of a record's schema; 0 for a bare one, since all of them are of one class."""
    try:
        return decode_prefix(raw).schema_id
    except FramingError:
        return 0


def _failure(index: int, error: SerdeError | RuleError) -> RecordFailure:
    """Name a bad record. The error lets go of its traceback, which would hold the whole chunk."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return RecordFailure(index, error)


# ── from chunks to tables ────────────────────────────────────────────────────────────────────────


def read_table(columns: Columns, records: Iterable[Record], options: ManyOptions) -> pa.Table:
    """Read all records into one table, by the newest class of all of them."""
    chunks = [columns.chunk(start, part) for start, part in _parts(records, options.batch_rows)]
    return _table([columns.again(chunk) for chunk in chunks], columns, options)


async def read_table_async(
    columns: Columns,
    records: Iterable[Record],
    options: ManyOptions,
    fetch: Callable[[Flow[object]], Awaitable[None]],
) -> pa.Table:
    """Read all records into one table: chunks in a thread, and what has to be fetched in between."""

    async def perform(work: Callable[[], Chunk]) -> Chunk:
        while True:
            try:
                return await perform_async(blocking(work))
            except UnplannedError as unplanned:
                await fetch(unplanned.flow)

    parts = _parts(records, options.batch_rows)
    chunks = [await perform(partial(columns.chunk, start, part)) for start, part in parts]
    return _table([await perform(partial(columns.again, chunk)) for chunk in chunks], columns, options)


def read_batches(columns: Columns, records: Iterable[Record], options: ManyOptions) -> Iterator[pa.RecordBatch]:
    """Read records batch by batch; a batch without a row is left out."""
    for start, part in _parts(records, options.batch_rows):
        chunk = columns.chunk(start, part)
        _tell(chunk.failures, options.on_error)
        if chunk.batch is not None and chunk.batch.num_rows:
            yield chunk.batch


def _parts(records: Iterable[Record], rows: int) -> Iterator[tuple[int, Records]]:
    rest, start = iter(records), 0
    while part := list(islice(rest, rows)):
        yield start, part
        start += len(part)


def _tell(failures: Sequence[RecordFailure], on_error: OnError) -> None:
    if on_error == "skip" or not failures:
        return
    if on_error == "raise":
        raise RecordsError(failures)
    for failure in failures:
        on_error(failure)


def _table(chunks: Sequence[Chunk], columns: Columns, options: ManyOptions) -> pa.Table:
    """Give one table of chunks that are all of the newest class; without any, one of no rows."""
    import pyarrow as pa

    _tell([failure for chunk in chunks for failure in chunk.failures], options.on_error)
    batches = [chunk.batch for chunk in (chunks or [columns.chunk(0, [])]) if chunk.batch is not None]
    return pa.Table.from_batches(batches) if batches else pa.table({})
