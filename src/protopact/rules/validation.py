"""protovalidate: the rules that stand in a schema's options, checked by the engine of those who define them.

https://protovalidate.com; the rules are extension 1159 of protobuf's options, defined in `buf/validate/validate.proto`.
The engine keeps what it compiles under a message's full name, so two versions of one message must never share it: each
message class has an engine of its own.
"""

from __future__ import annotations

import json
from contextlib import suppress
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakValueDictionary

from google.protobuf.message_factory import GetMessageClass

from protopact.errors import MissingExtraError, RuleError, RuleEvaluationError, RuleViolation, RuleViolationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.descriptor import Descriptor, FileDescriptor
    from google.protobuf.message import Message

    from protopact.rules.port import Check

_RULES_TAG = b"\xba\x48"  # of field 1159, length-delimited: how each rule begins in a file's bytes


class Protovalidate:
    """Validates with protovalidate. MissingExtraError where it is not installed."""

    def __init__(self) -> None:
        _require()

    def check_of(self, message_class: type[Message]) -> Check | None:
        """Give the check of a message class, the same one as long as anybody has it; None where there are no rules.

        RuleError when the rules cannot be compiled, of the message itself or of one that it holds.
        """
        with _lock:
            known = _checks.get(message_class)
        if known is None:
            descriptor = cast("Descriptor", message_class.DESCRIPTOR)
            if not _may_have_rules(descriptor.file):
                return None
            known = _Check(message_class)
            with _lock:
                known = _checks.setdefault(message_class, known)
        return known


class _Check:
    """The check of one message class, with the engine that has compiled its rules."""

    __slots__ = ("__weakref__", "_failure", "_name", "_violations")

    def __init__(self, message_class: type[Message]) -> None:
        import protovalidate

        self._name = cast("Descriptor", message_class.DESCRIPTOR).full_name
        self._violations = protovalidate.Validator().collect_violations
        self._failure = protovalidate.EvaluationError
        try:
            for each in _classes_in(message_class):
                with suppress(protovalidate.EvaluationError):  # an empty message is nobody's
                    self._violations(each())  # which compiles the rules
        except protovalidate.CompilationError as error:
            raise RuleError(
                f"the rules of {self._name} cannot be used: {_on_one_line(error)}", hint="correct them in the schema"
            ) from error

    def __call__(self, message: Message) -> None:
        """Check one message."""
        try:
            violations = self._violations(message)
        except self._failure as error:
            raise RuleEvaluationError(f"a rule of {self._name} failed: {_on_one_line(error)}") from error
        if violations:
            raise RuleViolationError(self._name, [_violation(each.proto) for each in violations])


_checks: WeakValueDictionary[type[Message], _Check] = WeakValueDictionary()
_lock = Lock()


def _classes_in(message_class: type[Message]) -> Iterator[type[Message]]:
    """Give the class, and those of all messages that its messages may hold."""
    root = cast("Descriptor", message_class.DESCRIPTOR)
    seen, todo = {root.full_name}, [root]
    while todo:
        descriptor = todo.pop()
        if not descriptor.GetOptions().map_entry:
            yield GetMessageClass(descriptor)
        for field in descriptor.fields:
            below = field.message_type
            if below is not None and below.full_name not in seen:
                seen.add(below.full_name)
                todo.append(below)


def _on_one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _may_have_rules(file: FileDescriptor) -> bool:
    """Tell whether a file, or one that it imports, may state rules; it may be told of one that does not."""
    seen, todo = {file.name}, [file]
    while todo:
        each = todo.pop()
        if _RULES_TAG in each.serialized_pb:
            return True
        for imported in each.dependencies:
            if imported.name not in seen:
                seen.add(imported.name)
                todo.append(imported)
    return False


def _violation(found: Any) -> RuleViolation:
    """Give a violation in our words; `found` is a `buf.validate.Violation`."""
    path = "$" + "".join(_steps(found.field.elements if found.has_field("field") else ()))
    if found.for_key:
        path += " (the key)"
    return RuleViolation(path, found.rule_id, found.message)


def _steps(elements: Iterable[Any]) -> Iterable[str]:
    for element in elements:
        yield f".{element.field_name}"
        if element.subscript is not None:
            # an index, or a map's key: as JSON has it, true and "text"
            yield f"[{json.dumps(element.subscript.value)}]"


def _require() -> None:
    try:
        import_module("protovalidate")
    except ImportError as error:
        raise MissingExtraError(
            "validation needs protovalidate, which is not installed",
            option="extra",
            hint="install 'protopact[validation]'",
        ) from error
