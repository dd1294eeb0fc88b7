"""Private descriptor pools, one per file set, kept in a bounded cache.

Two versions of one schema live side by side, and nothing enters the process-wide default pool.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from google.protobuf import descriptor_pool, message_factory

from protopact.descriptor.indexes import not_found
from protopact.errors import SchemaLinkError

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

    from protopact.descriptor.file_sets import FileSet

# A small compiled schema takes about 17 KiB: the cache stays under some 20 MiB.
POOLS_MAX = 1000
_UPB_PREAMBLE = "Couldn't build proto file into descriptor pool: "


def pool_of(file_set: FileSet) -> descriptor_pool.DescriptorPool:
    """Give the pool that holds exactly the files of the set; equal sets share one.

    It is the same pool as long as any file set lives that it was given for, and for a while after. `SchemaLinkError`
    when protobuf refuses a file.
    """
    return _POOLS.entry(file_set).pool


def message_descriptor(file_set: FileSet, full_name: str) -> Descriptor:
    """Give the descriptor of a message of any file of the set.

    `MessageNotFoundError` with the nearest name as its hint; `SchemaLinkError` as in `pool_of`.
    """
    try:
        return pool_of(file_set).FindMessageTypeByName(full_name)
    except KeyError:
        raise not_found(full_name, file_set.files) from None


def message_class(file_set: FileSet, full_name: str) -> type[Message]:
    """Give the message class, made once per pool. Errors as in `message_descriptor`."""
    classes = _POOLS.entry(file_set).classes
    found = classes.get(full_name)
    if found is None:
        made: type[Message] = message_factory.GetMessageClass(message_descriptor(file_set, full_name))
        found = classes.setdefault(full_name, made)
    return found


class _Entry:
    """A pool and the message classes made from it."""

    __slots__ = ("__weakref__", "classes", "pool")

    def __init__(self, pool: descriptor_pool.DescriptorPool) -> None:
        self.pool = pool
        self.classes: dict[str, type[Message]] = {}


class _Pools:
    """Entries by fingerprint: those that a living file set pins, and the ones used last.

    Building happens outside the lock: the first of two builders wins.
    """

    def __init__(self, entries_max: int) -> None:
        self._entries_max = entries_max
        self._recent: OrderedDict[str, _Entry] = OrderedDict()
        self._living: WeakValueDictionary[str, _Entry] = WeakValueDictionary()
        self._lock = Lock()

    def entry(self, file_set: FileSet) -> _Entry:
        key = file_set.fingerprint
        with self._lock:
            known = self._living.get(key)
        built = known or _Entry(_build(file_set))
        with self._lock:
            kept = self._living.setdefault(key, built)
            self._recent[key] = kept
            self._recent.move_to_end(key)
            while len(self._recent) > self._entries_max:
                self._recent.popitem(last=False)
        if not file_set.pinned:
            file_set.pinned.append(kept)
        return kept


def _build(file_set: FileSet) -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for file in file_set.files:
        try:
            pool.AddSerializedFile(file.SerializeToString(deterministic=True))
        except TypeError as error:
            reason = str(error).removeprefix(_UPB_PREAMBLE)
            raise SchemaLinkError(f"protobuf refuses {file.name}: {reason}") from error
    return pool


_POOLS = _Pools(POOLS_MAX)
