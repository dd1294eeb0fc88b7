from __future__ import annotations

import gc
import linecache
import traceback

import pytest

from protopact.convert.code import Namespace, Source, assignment, attribute, literal

HOSTILE = ["'", '"', "\n", "'''", "\\", "']+[1/0]+['", "{x}", "%s", "\u2028", "é", "\ud800", "a b", ""]


def test_built_functions_run_with_what_is_bound_to_them() -> None:
    source = Source("greet")
    names = source.bind({1: "one"}, "names")
    with source.block("def greet(number):"):
        with source.block(f"if number in {names}:"):
            source.line(f"return {names}[number]")
        source.line("return None")
    greet = source.build()["greet"]
    assert (greet(1), greet(2)) == ("one", None)
    assert str(source).splitlines()[1:3] == ["    if number in names:", "        return names[number]"]


def test_an_object_keeps_its_name_and_two_objects_have_two() -> None:
    namespace = Namespace()
    one, other = [1], [1]
    names = [namespace.bind(value, "some list") for value in (one, other, one)]
    assert names == ["some_list", "some_list_2", "some_list"]


@pytest.mark.parametrize("hint", [*HOSTILE, "class", "type", "match", "1st", "__builtins__", "__namespace__"])
def test_a_name_is_an_identifier_that_hides_nothing(hint: str) -> None:
    namespace = Namespace()
    name = namespace.fresh(hint)
    assert name.isidentifier()
    assert name not in {"class", "type", "match", "__builtins__", "__namespace__"}
    assert Source("x", namespace).local(hint) != name


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_stays_text(text: str) -> None:
    source = Source(f"odd {text}")
    with source.block("def give(owner):"):
        source.line(assignment("owner", text, literal(text)))
        source.line(f"return {attribute('owner', text)}, {literal(text)}")
    owner = type("Owner", (), {})()
    assert source.build()["give"](owner) == (text, text)
    assert len(str(source).splitlines()) == 3


@pytest.mark.parametrize("name", ["class", "None", "__debug__", "match", "plain", "__class", "type"])
def test_an_attribute_of_any_name_can_be_read_and_set(name: str) -> None:
    source = Source("attributes")
    with source.block("def swap(owner, value):"):
        source.line(f"old = {attribute('owner', name)}")
        source.line(assignment("owner", name, "value"))
        source.line("return old")
    owner = type("Owner", (), {name: 1})()
    assert source.build()["swap"](owner, 2) == 1
    assert getattr(owner, name) == 2


def test_only_plain_types_have_a_literal() -> None:
    class Text(str):
        __slots__ = ()

        def __repr__(self) -> str:
            return "1/0"

    assert [literal(value) for value in ("a", b"a", -1, True, None)] == ["'a'", "b'a'", "-1", "True", "None"]
    for value in (Text("a"), 1.5, [1]):
        with pytest.raises(TypeError):
            literal(value)  # type: ignore[arg-type]


def test_a_traceback_shows_generated_lines_as_long_as_they_live() -> None:
    source = Source("divide a.B")
    with source.block("def divide(number):"):
        source.line("return 1 / number")
    divide = source.build()["divide"]
    with pytest.raises(ZeroDivisionError) as raised:
        divide(0)
    shown = "".join(traceback.format_exception(raised.value))
    assert "<protopact divide a.B #" in shown
    assert "return 1 / number" in shown
    names = [name for name in linecache.cache if "divide a.B" in name]
    assert len(names) == 1
    del divide, source, raised
    gc.collect()
    assert names[0] not in linecache.cache
