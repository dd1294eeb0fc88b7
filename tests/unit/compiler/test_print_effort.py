"""Printing takes time in proportion to the schema, whatever it is made of: counted in lines of Python that run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from protopact.compiler import compile_text, print_file

if TYPE_CHECKING:
    from types import FrameType

    from protopact.descriptor import FileSet

PARTS = {
    "fields": "int32 f{n} = {n};",
    "maps": "map<int32, string> f{n} = {n};",
    "oneofs": "oneof o{n} {{ int32 f{n} = {n}; }}",
    "messages": "message M{n} {{}}",
    "reserved": "reserved {n};",
}


def effort(file_set: FileSet) -> int:
    lines = 0

    def trace(_frame: FrameType, event: str, _arg: object) -> object:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]  # a trace function gives itself; typeshed's alias cannot say so
    try:
        print_file(file_set)
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize("part", PARTS)
def test_twice_the_parts_take_twice_the_work(part: str) -> None:
    few, many = (
        compile_text(f'syntax = "proto3"; message A {{ {" ".join(PARTS[part].format(n=n) for n in range(1, size))} }}')
        for size in (100, 200)
    )
    print_file(few), print_file(many)  # what is done once per file set is not counted
    assert effort(many) < 2.3 * effort(few)
