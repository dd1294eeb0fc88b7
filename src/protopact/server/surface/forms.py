"""The forms in which a schema's text is given."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

from protopact.descriptor import options_in_pool
from protopact.registry import PROTOBUF
from protopact.server.decisions.tagging import meta_pool, printed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.message import Message

    from protopact.server.decisions.draft import Draftsman
    from protopact.server.store import Content

DEFAULT, SERIALIZED, IGNORE_EXTENSIONS = "", "serialized", "ignore_extensions"
"""The canonical text; base64 of the file's descriptor alone; the text without extensions and custom options."""

_FORMS = frozenset({SERIALIZED, IGNORE_EXTENSIONS})
_NAME_OF_SERIALIZED = "default"  # what Confluent's servers call it


def known_form(name: str) -> str:
    """Give the form of a name; whatever else is asked for is the default."""
    return name if name in _FORMS else DEFAULT


def in_form(content: Content, form: str, context: str, draftsman: Draftsman) -> str:
    """Give a schema of a context as text; one of a type that is not understood here is given as it came."""
    if form == DEFAULT or content.schema_type != PROTOBUF:
        return content.text
    file = FileDescriptorProto.FromString(content.descriptor)
    if form == SERIALIZED:
        file.name = _NAME_OF_SERIALIZED
        return base64.b64encode(file.SerializeToString(deterministic=True)).decode()
    return without_extensions(file, draftsman.files(context, content.references, deleted=True))


def without_extensions(file: FileDescriptorProto, imported: Iterable[FileDescriptorProto]) -> str:
    """Give the canonical text of a file without extensions, and without options but the standard ones and Confluent's.

    The ranges in which others may extend go too.
    """
    del file.extension[:]
    for part in _parts(file):
        if isinstance(part, DescriptorProto):
            del part.extension[:]
            del part.extension_range[:]
    for part in _parts(file):
        if "options" in part.DESCRIPTOR.fields_by_name and part.HasField("options"):
            _keep_standard(part)
    return printed(file, imported)


def _parts(message: Message) -> Iterator[Message]:
    """Give a descriptor and all descriptors in it."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        yield part
        for field, value in part.ListFields():
            if field.message_type is not None and field.name != "options":
                waiting.extend([value] if hasattr(value, "DESCRIPTOR") else value)


def _keep_standard(part: Any) -> None:
    options = options_in_pool(part.options, meta_pool())
    options.DiscardUnknownFields()
    part.options.ParseFromString(options.SerializeToString(deterministic=True))
    if not part.options.ByteSize():
        part.ClearField("options")
