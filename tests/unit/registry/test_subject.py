from __future__ import annotations

import pytest

from protopact.errors import InvalidSubjectError, InvalidVersionError
from protopact.registry import LATEST, NAME_BYTES_MAX, Subject, context_name, parse_version


@pytest.mark.parametrize(
    ("text", "name", "context", "qualified"),
    [
        ("orders-value", "orders-value", ".", "orders-value"),
        (":.ctx:orders", "orders", ".ctx", ":.ctx:orders"),
        (":.:orders", "orders", ".", "orders"),
        (":.ctx:", "", ".ctx", ":.ctx:"),
        (":.ctx", "", ".ctx", ":.ctx:"),
        (":.ctx:a:b/c", "a:b/c", ".ctx", ":.ctx:a:b/c"),
        ("a/b.proto", "a/b.proto", ".", "a/b.proto"),
        (":x:orders", ":x:orders", ".", ":x:orders"),
        ("", "", ".", ""),
    ],
)
def test_a_subject_is_read_and_written_with_its_context(text: str, name: str, context: str, qualified: str) -> None:
    subject = Subject.parse(text)

    assert subject == Subject(name, context)
    assert subject.qualified == str(subject) == qualified


def test_an_unqualified_name_belongs_to_the_context_in_which_it_stands() -> None:
    assert Subject.parse("orders", context=".ctx").qualified == ":.ctx:orders"
    assert Subject.parse("orders", context="ctx").qualified == ":.ctx:orders"
    assert Subject.parse(":.other:orders", context=".ctx").qualified == ":.other:orders"


@pytest.mark.parametrize("text", ["a\nb", "\x00", "a\x7f", "\ud800", "__GLOBAL", "__EMPTY", ":.c:__GLOBAL", ":.a\tb:c"])
def test_a_subject_that_cannot_be_is_refused_as_the_dialect_says_it(text: str) -> None:
    with pytest.raises(InvalidSubjectError, match=r"^The specified subject '.*' is not a valid\.$") as caught:
        Subject.parse(text)

    assert caught.value.error_code == 42208
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["s" * 1025, "é" * 513, f":.{'c' * 1024}:s", f":.c:{'s' * 1025}"])
def test_a_name_of_more_than_1024_bytes_is_refused_whatever_the_store(text: str) -> None:
    with pytest.raises(InvalidSubjectError, match=r"…' is not a valid\.$"):
        Subject.parse(text)
    assert Subject.parse("é" * (NAME_BYTES_MAX // 2)).name == "é" * 512


def test_a_context_starts_with_a_full_stop_and_holds_no_colon() -> None:
    assert context_name("ctx") == context_name(".ctx") == ".ctx"
    with pytest.raises(InvalidSubjectError):
        context_name("a:b")


@pytest.mark.parametrize(("text", "version"), [("latest", LATEST), ("-1", LATEST), ("1", 1), ("2147483647", 2**31 - 1)])
def test_a_version_is_a_number_or_the_newest(text: str, version: int) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize("text", ["0", "-2", "2147483648", "9" * 5000, "x", "", "1.0", "٣", "+1", "LATEST", "\ud800"])
def test_a_version_that_cannot_be_is_refused_with_what_can(text: str) -> None:
    with pytest.raises(InvalidVersionError, match=r'string "latest"$') as caught:
        parse_version(text)

    assert caught.value.error_code == 42202
    assert str(caught.value).isprintable()
