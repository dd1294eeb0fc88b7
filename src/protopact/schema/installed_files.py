"""Files that installed packages bring, for schemas that import them and do not say where they are."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator


def installed_files(wanted: Iterable[str], given: Container[str]) -> Iterator[FileDescriptorProto]:
    """Give those of the wanted import paths that are not given, and that an installed package brings."""
    for path in wanted:
        read = _READERS.get(path)
        if read is None or path in given:
            continue
        file = read()
        if file is not None:
            yield file


@cache
def _protovalidate_file() -> FileDescriptorProto | None:
    """Give `buf/validate/validate.proto` as protovalidate has it; it imports well-known files alone."""
    try:
        from protovalidate import ViolationPb
    except ImportError:
        return None
    return FileDescriptorProto.FromString(ViolationPb.desc().file.proto.to_binary())


_READERS: dict[str, Callable[[], FileDescriptorProto | None]] = {"buf/validate/validate.proto": _protovalidate_file}
