"""The forms in which a schema's text is given."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

from protopact.descriptor import options_in_pool
from protopact.registry import PROTOBUF
from protopact.server.decisions.apart import LIGHT_BYTES_MAX
from protopact.server.decisions.tagging import meta_pool, printed
from protopact.server.decisions.understanding import Imported

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from google.protobuf.message import Message

    from protopact.compiler import Workers
    from protopact.server.decisions.apart import Answer
    from protopact.server.decisions.draft import Draftsman
    from protopact.server.questions import Question
    from protopact.server.store import Content

DEFAULT, SERIALIZED, IGNORE_EXTENSIONS = "", "serialized", "ignore_extensions"
"""The canonical text; base64 of the file's descriptor alone; the text without extensions and custom options."""

_FORMS = frozenset({SERIALIZED, IGNORE_EXTENSIONS})
_NAME_OF_SERIALIZED = "default"  # what Confluent's servers call it


def known_form(name: str) -> str:
    """Give the form of a name; whatever else is asked for is the default."""
    return name if name in _FORMS else DEFAULT


def takes_long(question: Question) -> bool:
    """Whether a schema is asked for in a form that is worked out anew, which an event loop must not do."""
    query = question.query
    return "findTags" in query or known_form(query.get("format", "")) == IGNORE_EXTENSIONS


def in_form(content: Content, form: str, context: str, draftsman: Draftsman) -> str:
    """Give a schema of a context as text; one of a type that is not understood here is given as it came."""
    if form == DEFAULT or content.schema_type != PROTOBUF:
        return content.text
    if form == SERIALIZED:
        file = FileDescriptorProto.FromString(content.descriptor)
        file.name = _NAME_OF_SERIALIZED
        return base64.b64encode(file.SerializeToString(deterministic=True)).decode()
    imports = draftsman.imports(context, content.references, deleted=True)
    if len(content.descriptor) + sum(len(one.descriptor) for one in imports) <= LIGHT_BYTES_MAX:
        return without_extensions(FileDescriptorProto.FromString(content.descriptor), [one.file() for one in imports])
    parts = [content.descriptor, *(one.descriptor for one in imports)]
    _, (text,) = draftsman.apart.ask(_without_extensions_apart, {"imports": [one.name for one in imports]}, parts)
    return text.decode()


def _without_extensions_apart(question: Mapping[str, Any], parts: Sequence[bytes], _workers: Workers) -> Answer:
    """Do for `in_form` what takes long."""
    descriptor, *descriptors = parts
    imported = [Imported(*one).file() for one in zip(question["imports"], descriptors, strict=True)]
    return None, [without_extensions(FileDescriptorProto.FromString(descriptor), imported).encode()]


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
