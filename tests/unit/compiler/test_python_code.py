"""Generated code can stand where the user wants it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from protopact.compiler import generate
from protopact.compiler.python_code import module_name, with_relative_imports
from protopact.errors import ConfigError, SchemaSyntaxError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SOURCES = {
    "shop/order.proto": """
        syntax = "proto3";
        package shop;
        import "shop/parts/item-kind.proto";
        import "flat.proto";
        import public "base.proto";
        import "import/name.proto";
        import "google/protobuf/timestamp.proto";
        message Order {
          shop.parts.Kind kind = 1; flat.Flat flat = 2; base.Base base = 3; name.Name name = 4;
          google.protobuf.Timestamp at = 5;
        }
    """,
    "shop/parts/item-kind.proto": 'syntax = "proto3"; package shop.parts; enum Kind { ANY = 0; }',
    "flat.proto": """
        syntax = "proto3"; package flat; import "base.proto"; message Flat { base.Base base = 1; }
        // import base_pb2 as base__pb2
        service Flats { rpc Get(base.Base) returns (Flat); }
    """,
    "base.proto": 'syntax = "proto3"; package base; message Base { int32 id = 1; }',
    "import/name.proto": 'syntax = "proto3"; package name; message Name { string text = 1; }',
}


def write(code: Mapping[str, bytes], directory: Path) -> None:
    for name, content in code.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def run(program: str, directory: Path) -> None:
    subprocess.run([sys.executable, "-c", program], cwd=directory, check=True)


def test_modules_stubs_and_grpc_code_are_made_for_the_files_named() -> None:
    code = generate(SOURCES, ["base.proto", "flat.proto"])
    assert {f"{stem}_pb2{end}" for stem in ("base", "flat") for end in (".py", ".pyi", "_grpc.py")} >= set(code)
    assert {"base_pb2.py", "base_pb2.pyi", "flat_pb2_grpc.py"} <= set(code)
    assert set(generate(SOURCES, ["base.proto"], ["pyi"])) == {"base_pb2.pyi"}


def test_the_tree_can_be_imported_from_its_own_root(tmp_path: Path) -> None:
    write(generate(SOURCES, SOURCES), tmp_path)
    run(
        "import shop.order_pb2 as o, flat_pb2_grpc; assert o.Order(flat={'base': {'id': 1}}).flat.base.id == 1",
        tmp_path,
    )


def test_with_relative_imports_the_tree_can_stand_inside_any_package(tmp_path: Path) -> None:
    write(generate(SOURCES, SOURCES, relative_imports=True), tmp_path / "mine" / "generated")
    program = """
import mine.generated.flat_pb2_grpc
from mine.generated.shop import order_pb2
from mine.generated import base_pb2
assert order_pb2.Order(flat={'base': {'id': 1}}, name={'text': 'x'}).name.text == 'x'
assert order_pb2.Base is base_pb2.Base
import sys
assert not {'base_pb2', 'flat_pb2', 'shop'} & set(sys.modules)
"""
    run(program, tmp_path)


def test_only_imports_of_the_trees_own_modules_change() -> None:
    absolute = generate(SOURCES, SOURCES)
    relative = generate(SOURCES, SOURCES, relative_imports=True)
    changed = {
        line.strip()
        for name in absolute
        for line in set(relative[name].decode().splitlines()) - set(absolute[name].decode().splitlines())
    }
    assert changed == {
        "from ..shop.parts import item_kind_pb2 as shop_dot_parts_dot_item__kind__pb2",
        "from ..shop.parts import item_kind_pb2 as _item_kind_pb2",
        "from .. import flat_pb2 as flat__pb2",
        "from .. import flat_pb2 as _flat_pb2",
        "from .. import base_pb2 as base__pb2",
        "from .. import base_pb2 as _base_pb2",
        "from . import base_pb2 as base__pb2",
        "from . import base_pb2 as _base_pb2",
        "from . import flat_pb2 as flat__pb2",
        "from ..base_pb2 import *",
        "from ..base_pb2 import Base as Base",
        "import_dot_name__pb2 = importlib.import_module('..import.name_pb2', __package__)",
        "_name_pb2 = importlib.import_module('..import.name_pb2', __package__)",
    }


def test_modules_that_are_not_the_trees_stay_absolute() -> None:
    code = "from google.protobuf import any_pb2 as a\nimport other_pb2 as other__pb2\n"
    assert with_relative_imports("a_pb2.py", code, {"mine_pb2"}) == code


def test_a_module_is_named_after_its_path() -> None:
    assert module_name("shop/v1/item-kind.proto") == "shop.v1.item_kind_pb2"


def test_an_unknown_output_is_refused() -> None:
    with pytest.raises(ConfigError, match="'java' is unknown") as refused:
        generate(SOURCES, ["base.proto"], ["java"])
    assert refused.value.option == "outputs"


def test_errors_are_those_of_compiling() -> None:
    with pytest.raises(SchemaSyntaxError, match=r"a\.proto:1:8"):
        generate({"a.proto": "message"}, ["a.proto"])
