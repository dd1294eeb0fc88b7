"""A broker's memory in an SQLite file. One thread writes; changes that come meanwhile share its next transaction."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from protopact.broker.codes import Code
from protopact.broker.state.port import Committed, TopicRecord, new_cluster_id
from protopact.errors import RefusedRequestError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from protopact.broker.state.port import Place

Statement: TypeAlias = tuple[str, tuple[object, ...]]
Change: TypeAlias = tuple[tuple[Statement, ...], "asyncio.Future[None]"]

_APPLICATION = 0x7070_6B62  # "ppkb"
_VERSION = 1
_PRODUCER_IDS = 1000  # taken at once, so that not every producer waits for the disk
_TABLES = (
    """CREATE TABLE topic (name TEXT PRIMARY KEY, id BLOB NOT NULL, partitions INTEGER NOT NULL, config TEXT NOT NULL,
    created_ms INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE committed ("group" TEXT, topic TEXT, partition INTEGER, "offset" INTEGER NOT NULL,
    leader_epoch INTEGER NOT NULL, metadata TEXT NOT NULL, committed_ms INTEGER NOT NULL,
    PRIMARY KEY ("group", topic, partition)) WITHOUT ROWID""",
    "CREATE TABLE cluster (id TEXT NOT NULL, producer_ids INTEGER NOT NULL)",
)


class SqliteState:
    """What a broker with a data directory remembers."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take an open file; `open` is the way to it."""
        self._connection = connection
        self._topics = {record.name: record for record in _read_topics(connection)}
        self._cluster_id: str = connection.execute("SELECT id FROM cluster").fetchone()[0]
        self._producer_ids = iter(range(0))
        self._taking = asyncio.Lock()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="protopact-broker-state")
        self._waiting: list[Change] = []
        self._writing: asyncio.Task[None] | None = None

    @classmethod
    def open(cls, path: Path, *, durable: bool) -> SqliteState:
        """Open the file, or make it; `durable` has every change on the disk before it is acknowledged.

        StoreError when the file is damaged, another program's, or of a newer protopact.
        """
        try:
            connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            _migrate(connection, path)
        except sqlite3.Error as error:
            raise StoreError(
                f"the broker's state {path} cannot be used: {error}",
                hint="restore it, or begin with an empty directory",
            ) from error
        return cls(connection)

    def topics(self) -> Sequence[TopicRecord]:
        """Give all topics."""
        return list(self._topics.values())

    async def put_topic(self, topic: TopicRecord) -> None:
        """Remember a topic."""
        row = (topic.name, topic.topic_id.bytes, topic.partitions, json.dumps(dict(topic.config)), topic.created_ms)
        await self._write(("INSERT OR REPLACE INTO topic VALUES (?, ?, ?, ?, ?)", row))
        self._topics[topic.name] = topic

    async def remove_topic(self, name: str) -> None:
        """Forget a topic, and what groups committed for it."""
        await self._write(
            ("DELETE FROM topic WHERE name = ?", (name,)), ("DELETE FROM committed WHERE topic = ?", (name,))
        )
        del self._topics[name]

    def offsets(self) -> Iterable[tuple[str, Place, Committed]]:
        """Give all committed offsets, as they were when the file was opened or since."""
        columns = '"group", topic, partition, "offset", leader_epoch, metadata, committed_ms'
        for group, topic, partition, *rest in self._connection.execute(f"SELECT {columns} FROM committed"):  # noqa: S608
            yield group, (topic, partition), Committed(*rest)

    async def put_offsets(self, group: str, offsets: Mapping[Place, Committed]) -> None:
        """Remember committed offsets."""
        await self._write(
            *(
                (
                    "INSERT OR REPLACE INTO committed VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (group, *place, each.offset, each.leader_epoch, each.metadata, each.committed_ms),
                )
                for place, each in offsets.items()
            )
        )

    async def remove_offsets(self, group: str, places: Iterable[Place] | None = None) -> None:
        """Forget a group's offsets."""
        if places is None:
            await self._write(('DELETE FROM committed WHERE "group" = ?', (group,)))
            return
        gone = 'DELETE FROM committed WHERE "group" = ? AND topic = ? AND partition = ?'
        await self._write(*((gone, (group, *place)) for place in places))

    def cluster_id(self) -> str:
        """Give the id of the cluster."""
        return self._cluster_id

    async def next_producer_id(self) -> int:
        """Give a producer id that was never given before: a thousand are taken at a time, before one is given."""
        async with self._taking:
            given = next(self._producer_ids, None)
            if given is None:
                await self._write(("UPDATE cluster SET producer_ids = producer_ids + ?", (_PRODUCER_IDS,)))
                end = self._connection.execute("SELECT producer_ids FROM cluster").fetchone()[0]
                self._producer_ids = iter(range(end - _PRODUCER_IDS, end))
                given = next(self._producer_ids)
            return given

    async def close(self) -> None:
        """Finish what is being written, and close the file."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
        self._writer.shutdown()
        self._connection.close()

    async def _write(self, *statements: Statement) -> None:
        """Have the changes written; KAFKA_STORAGE_ERROR when the disk does not take them."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((statements, written))
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_waiting())
        await written

    async def _write_waiting(self) -> None:
        """Write what waits, and what comes meanwhile, a transaction at a time."""
        while self._waiting:
            changes, self._waiting = self._waiting, []
            statements = [statement for each, _ in changes for statement in each]
            try:
                await asyncio.get_running_loop().run_in_executor(self._writer, self._transact, statements)
            except sqlite3.Error as error:
                _settle(
                    changes,
                    RefusedRequestError(
                        f"the broker's state cannot be written: {error}", error_code=Code.KAFKA_STORAGE_ERROR
                    ),
                )
            else:
                _settle(changes, None)
        self._writing = None

    def _transact(self, statements: Sequence[Statement]) -> None:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                for statement in statements:
                    cursor.execute(*statement)
                cursor.execute("COMMIT")
            except sqlite3.Error:
                if self._connection.in_transaction:
                    cursor.execute("ROLLBACK")
                raise


def _settle(changes: Sequence[Change], error: RefusedRequestError | None) -> None:
    for _, written in changes:
        if written.cancelled():
            continue
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)


def _read_topics(connection: sqlite3.Connection) -> list[TopicRecord]:
    rows = connection.execute("SELECT name, id, partitions, config, created_ms FROM topic ORDER BY name")
    return [
        TopicRecord(name, UUID(bytes=topic_id), partitions, json.loads(config), created_ms)
        for name, topic_id, partitions, config, created_ms in rows
    ]


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new file, and refuse one that is not ours or newer than we are."""
    application, version = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    if (application, version) == (_APPLICATION, _VERSION):
        return
    if (application, version) != (0, 0) or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StoreError(
            f"{path} is no state of a broker of this version: it says application {application:#x}, version {version}",
            hint="use the protopact that wrote it, or another directory",
        )
    connection.execute("BEGIN")
    for table in _TABLES:
        connection.execute(table)
    connection.execute("INSERT INTO cluster VALUES (?, ?)", (new_cluster_id(), _PRODUCER_IDS))
    connection.execute(f"PRAGMA application_id={_APPLICATION}")
    connection.execute(f"PRAGMA user_version={_VERSION}")
    connection.execute("COMMIT")
