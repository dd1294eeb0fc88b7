"""Copies of a SQLite store: taken while it is written, and put back where nothing is.

A copy is one file, whole and synchronised when it has its name. It holds what was committed when it was begun; what
is registered later is not in it, so restoring it forgets that, ids included. PostgreSQL has `pg_dump` for this.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from protopact.errors import ConfigError, StoreError
from protopact.server.store.migrate import APPLICATION_ID, MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARKS_OF_USE = ("contexts", "documents", "audit")


def backup(store_url: str, path: str | os.PathLike[str]) -> None:
    """Copy the store at `sqlite:PATH` into a new file, while it may be in use.

    ConfigError for a store of another kind; StoreError when it is not there or no registry's, when the file exists,
    or when it cannot be written.
    """
    source, target = _file_of(store_url), Path(path)
    with _told("the store cannot be copied"), closing(_opened(source)) as store:
        _check(store, source)
        with _new_file(target) as scratch, closing(sqlite3.connect(scratch)) as copy:
            store.backup(copy)
            # As it comes, the copy would want two files beside it to be read.
            copy.execute("PRAGMA journal_mode = DELETE")
            _check(copy, target)


def restore(path: str | os.PathLike[str], store_url: str) -> None:
    """Put a copy back as the store at `sqlite:PATH`: its ids, versions, configs and audit log are the same.

    The store must be new or empty, and nobody may use it. ConfigError for a store of another kind; StoreError when the
    copy is damaged, no registry's or of a newer version, and when the store holds something or is in use.
    """
    source, target = Path(path), _file_of(store_url)
    with _told("the store cannot be restored"), closing(_opened(source)) as copy:
        _check(copy, source)
        if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise StoreError(f"the copy {source.name!r} is damaged", hint="take another one")
        with suppress(FileExistsError):
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(target, timeout=0, isolation_level=None)) as store:
            _take(store, target)
            copy.backup(store)
    _synchronise(target)


def _file_of(store_url: str) -> Path:
    kind, _, path = store_url.partition(":")
    if kind != "sqlite" or not path:
        raise ConfigError(
            f"only a store of the kind sqlite:PATH can be copied, not {kind[:20]!r}",
            option="store",
            hint="PostgreSQL has pg_dump and pg_restore",
        )
    return Path(path)


def _opened(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise StoreError(f"there is no file {path.name!r}", hint="is the path right?")
    return sqlite3.connect(path)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what is no registry's, or of a version that this program does not know."""
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if owner != APPLICATION_ID:
        raise StoreError(f"the file {path.name!r} is no registry's store")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"the file {path.name!r} is of version {version}, this program knows versions up to {len(MIGRATIONS)}",
            hint="use a newer protopact",
        )


def _take(store: sqlite3.Connection, path: Path) -> None:
    """Have the store for ourselves; StoreError when it holds anything or others have it open."""
    try:
        store.execute("PRAGMA locking_mode = EXCLUSIVE")
        store.execute("PRAGMA synchronous = FULL")
        # A store that writes ahead lets go of that only when nobody else has it open.
        (mode,) = store.execute("PRAGMA journal_mode = DELETE").fetchone()
        store.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        raise StoreError(f"the store {path.name!r} is in use", hint="stop the registry first") from error
    tables = {name for (name,) in store.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    is_ours = store.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    holds = [name for name in _MARKS_OF_USE if name in tables and _rows(store, name)]
    if mode != "delete" or (tables and not is_ours) or holds:
        raise StoreError(f"the store {path.name!r} is not empty", hint="name a file that does not exist")
    store.execute("COMMIT")


def _rows(store: sqlite3.Connection, table: str) -> int:
    (number,) = store.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  (one of _MARKS_OF_USE)
    return int(number)


@contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """Give a file to write; it gets its name when it is whole, and only if nobody has taken that."""
    if path.exists():
        raise StoreError(f"the file {path.name!r} exists", hint="name another one")
    handle, scratch = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(handle)
    try:
        yield Path(scratch)
        _synchronise(Path(scratch))
        Path(path).hardlink_to(scratch)
    finally:
        Path(scratch).unlink()
    _synchronise(path.parent)


def _synchronise(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise StoreError(f"{what}: the file exists", hint="name another one") from error
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{what}: {error}") from error
