"""Exceptions: one family, one table, one line each."""

from __future__ import annotations

import copy
import pickle

import pytest

from protopact import errors
from protopact.errors import (
    ConversionError,
    ConversionIssue,
    DeliveryError,
    DeliveryFailure,
    Diagnostic,
    IncompatibleSchemaError,
    ProtopactError,
    RecordFailure,
    RecordsError,
    RegistryError,
    RuleViolation,
    RuleViolationError,
    SchemaSyntaxError,
    SerdeError,
    registry_error,
)


def family(base: type[ProtopactError]) -> list[type[ProtopactError]]:
    """A class and all that derive from it here, private ones left out."""
    here = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, base)]
    return [cls for cls in here if not cls.__name__.startswith("_")]


EVERY = family(ProtopactError)
REGISTRY = family(RegistryError)
FAILURE = DeliveryFailure(2, "the broker is full")
EXTRAS = {
    "ConfigError": {"option": "timeout_s"},
    "MissingExtraError": {"option": "compiler"},
    "SchemaSyntaxError": {"diagnostics": [Diagnostic("a.proto", 1, 2, "no")]},
    "SchemaLinkError": {"diagnostics": []},
    "SchemaModelError": {"path": "Order.items"},
    "FramingError": {"offset": 3},
    "TransportError": {"url": "http://localhost", "attempts": 2},
    "BrokerError": {"topic": "orders"},
    "RefusedRequestError": {"topic": "orders", "error_code": 3},
}


def example(cls: type[ProtopactError]) -> ProtopactError:
    if cls is ConversionError:
        return ConversionError("shop.Order", [ConversionIssue("$.id", "is no number")], hint="do that")
    if cls is DeliveryError:
        return DeliveryError("orders", [FAILURE], confirmed=3, hint="do that")
    if cls is RecordsError:
        return RecordsError([], hint="do that")
    if cls is RuleViolationError:
        return RuleViolationError("shop.Order", [RuleViolation("$.id", "string.uuid", "is no UUID")], hint="do that")
    return cls("it is wrong", hint="do that", **EXTRAS.get(cls.__name__, {}))


@pytest.mark.parametrize("cls", EVERY)
def test_an_error_tells_its_message_alone_and_keeps_the_remedy_apart(cls: type[ProtopactError]) -> None:
    error = example(cls)
    assert "do that" not in str(error)
    assert error.hint == "do that"
    assert "\n" not in str(error)


@pytest.mark.parametrize("cls", EVERY)
def test_an_error_survives_the_way_between_processes(cls: type[ProtopactError]) -> None:
    error = example(cls)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is cls
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)


def test_every_error_has_its_own_code_below_its_parents() -> None:
    codes = {cls: cls.code for cls in EVERY}
    assert len(set(codes.values())) == len(codes)
    strays = [cls for cls in EVERY for base in cls.__bases__ if base in codes and base is not ProtopactError
              and not cls.code.startswith(f"{base.code}.")]  # fmt: skip
    assert strays == []


def test_the_tree_in_the_docstring_names_every_group() -> None:
    drawn = errors.__doc__ or ""
    registry = {cls.__name__ for cls in REGISTRY}  # "and the rest of the table"
    assert [cls.__name__ for cls in EVERY if cls.__name__ not in drawn and cls.__name__ not in registry] == []


@pytest.mark.parametrize("cls", REGISTRY)
def test_the_class_that_a_server_raises_is_the_class_that_a_client_gets(cls: type[RegistryError]) -> None:
    raised = cls("no such thing")
    received = registry_error(raised.error_code, raised.message, status=raised.status)
    assert type(received) is cls
    assert (received.message, received.error_code, received.status) == (
        raised.message,
        raised.error_code,
        raised.status,
    )


@pytest.mark.parametrize("code", [409, 40901])
def test_both_codes_of_incompatibility_are_one_class(code: int) -> None:
    error = registry_error(code, "incompatible")
    assert type(error) is IncompatibleSchemaError
    assert (error.error_code, error.status) == (code, 409)


@pytest.mark.parametrize(("code", "status"), [(50001, 500), (42299, 422), (401, 401), (404, 404)])
def test_an_unknown_registry_code_is_the_base_class_with_its_status(code: int, status: int) -> None:
    error = registry_error(code, "something")
    assert type(error) is RegistryError
    assert error.status == status


def test_the_status_of_the_reply_wins_over_the_codes() -> None:
    assert registry_error(40401, "gone", status=410).status == 410


def test_a_conversion_error_lists_all_issues_and_words_the_first_five() -> None:
    issues = [ConversionIssue(f"$.items[{i}]", "is no number") for i in range(7)]
    error = ConversionError("shop.Order", issues)
    assert error.issues == tuple(issues)
    assert "$.items[4]: is no number; and 2 more" in str(error)
    assert "$.items[5]" not in str(error)


@pytest.mark.parametrize(
    ("diagnostic", "text"),
    [
        (Diagnostic("a.proto", 3, 7, "bad"), "a.proto:3:7: bad"),
        (Diagnostic("a.proto", 3, 0, "bad"), "a.proto:3: bad"),
        (Diagnostic("a.proto", 0, 0, "bad"), "a.proto: bad"),
        (Diagnostic("", 0, 0, "bad"), "bad"),
    ],
)
def test_a_diagnostic_leaves_out_what_is_unknown(diagnostic: Diagnostic, text: str) -> None:
    assert str(diagnostic) == text


def test_a_schema_error_keeps_its_diagnostics_in_order() -> None:
    found = [Diagnostic("a.proto", line, 1, "bad") for line in (9, 2)]
    assert SchemaSyntaxError("refused", diagnostics=iter(found)).diagnostics == tuple(found)


def test_a_delivery_error_lists_all_failures_and_words_the_first_three() -> None:
    failures = [DeliveryFailure(i, "too large") for i in range(5)]
    error = DeliveryError("orders", failures, confirmed=7)
    assert (error.failures, error.confirmed, error.topic) == (tuple(failures), 7, "orders")
    assert "record 2: too large; and 2 more" in str(error)
    assert "record 3" not in str(error)


def test_many_bad_records_are_worded_by_the_first_few() -> None:
    failures = [RecordFailure(index, SerdeError("cut off")) for index in range(5)]
    error = RecordsError(failures)
    assert str(error) == (
        "5 records cannot be read: record 0: cut off; record 1: cut off; record 2: cut off; and 2 more"
    )
    assert error.failures == tuple(failures)
    twin = pickle.loads(pickle.dumps(error))
    assert [str(failure) for failure in twin.failures] == [str(failure) for failure in failures]
