"""protoc's standard error becomes diagnostics."""

from __future__ import annotations

import pytest

from protopact.compiler.diagnostics import parse_diagnostics, refusal, surrender
from protopact.errors import Diagnostic, SchemaLinkError, SchemaSyntaxError


def test_errors_keep_their_place_and_order() -> None:
    stderr = 'b.proto:1:81: Expected field name.\na.proto:3:18: Import "b.proto" was not found or had errors.\n'
    assert parse_diagnostics(stderr) == (
        Diagnostic("b.proto", 1, 81, "Expected field name."),
        Diagnostic("a.proto", 3, 18, 'Import "b.proto" was not found or had errors.'),
    )


def test_an_error_of_a_whole_file_has_no_line() -> None:
    assert parse_diagnostics("google/nope.proto: File not found.") == (
        Diagnostic("google/nope.proto", 0, 0, "File not found."),
    )


def test_warnings_and_log_lines_are_left_out() -> None:
    stderr = (
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
        "W0000 00:00:1795223036.839931   10911 parser.cc:659] No edition or syntax specified\n"
        "a.proto:1:1: warning: Import other.proto is unused.\n"
        "*** Check failure stack trace: ***\n"
        "\n"
    )
    assert parse_diagnostics(stderr) == ()


def test_a_line_of_another_form_continues_the_message_before_it() -> None:
    assert parse_diagnostics("a.proto:1:2: first\nsecond") == (Diagnostic("a.proto", 1, 2, "first second"),)
    assert parse_diagnostics("nothing known") == (Diagnostic("", 0, 0, "nothing known"),)


@pytest.mark.parametrize(
    "stderr",
    [
        'x.proto: File not found.\na.proto:1:18: Import "x.proto" was not found or had errors.',
        "a.proto:1:18: File recursively imports itself: a.proto -> b.proto -> a.proto",
        '../x.proto: Backslashes, consecutive slashes, ".", or ".." are not allowed in the virtual path',
    ],
)
def test_missing_and_circular_imports_are_link_errors(stderr: str) -> None:
    assert isinstance(refusal(stderr), SchemaLinkError)


def test_an_import_that_has_errors_itself_is_a_syntax_error() -> None:
    error = refusal('b.proto:1:2: Expected ";".\na.proto:1:1: Import "b.proto" was not found or had errors.')
    assert isinstance(error, SchemaSyntaxError)
    assert str(error) == 'b.proto:1:2: Expected ";". (and 1 more)'


def test_the_headline_is_the_first_error_that_has_a_place() -> None:
    error = refusal('x.proto: File not found.\na.proto:1:18: Import "x.proto" was not found or had errors.')
    assert str(error).startswith("a.proto:1:18: Import")


def test_a_silent_refusal_says_so() -> None:
    assert "without saying why" in str(refusal(""))


def test_giving_up_names_the_file_and_the_reason() -> None:
    error = surrender("a.proto", "it crashed (SIGSEGV)")
    assert str(error) == "a.proto: the compiler gave up: it crashed (SIGSEGV)"
    assert error.diagnostics == (Diagnostic("a.proto", 0, 0, "the compiler gave up: it crashed (SIGSEGV)"),)
