from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from protopact.errors import ConfigError, SchemaLinkError, SchemaSyntaxError
from protopact.schema import ProtoMessage, compile_protos, load_schema

if TYPE_CHECKING:
    from pathlib import Path

USE = """
from app.gen.shop.v1 import order_pb2
from app.gen.money.v1.money_pb2 import Money
order = order_pb2.Order(id=5, price=Money(units=3), email="a@example.org")
order.items.add(sku="a")
assert order_pb2.Order.FromString(order.SerializeToString()) == order
print(order.price.units)
"""


def run_python(code: str, place: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_output_can_be_imported_inside_a_package(protos: Path, tmp_path: Path) -> None:
    package = tmp_path / "app"
    package.mkdir()
    (package / "__init__.py").touch()
    compile_protos(protos, package / "gen")
    assert run_python(USE, tmp_path) == "3\n"


def test_the_written_files_are_given_with_what_they_need(protos: Path, tmp_path: Path) -> None:
    out = tmp_path / "gen"
    written = compile_protos(protos, out)
    assert [path.relative_to(out).as_posix() for path in written if path.name != "__init__.py"] == [
        "confluent/meta_pb2.py",
        "confluent/meta_pb2.pyi",
        "money/v1/money_pb2.py",
        "money/v1/money_pb2.pyi",
        "shop/v1/order_pb2.py",
        "shop/v1/order_pb2.pyi",
    ]
    assert all(path.is_file() for path in written)
    assert written.runtime.startswith("protobuf>=")
    assert len(written) == len(written.paths)
    assert written[0] == written.paths[0]


def test_every_directory_of_the_output_is_a_package_and_an_own_init_stays(protos: Path, tmp_path: Path) -> None:
    out = tmp_path / "gen"
    out.mkdir()
    (out / "__init__.py").write_text("MINE = True\n")
    compile_protos(protos, out)
    assert (out / "__init__.py").read_text() == "MINE = True\n"
    assert (out / "shop" / "__init__.py").is_file()
    assert (out / "shop/v1/__init__.py").is_file()


def test_nothing_is_printed(protos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    compile_protos(protos, tmp_path / "gen")
    assert capfd.readouterr() == ("", "")


def test_stubs_can_be_left_out(protos: Path, tmp_path: Path) -> None:
    assert not [path for path in compile_protos(protos, tmp_path / "gen", stubs=False) if path.suffix == ".pyi"]


def test_grpc_code_is_written_where_services_are(protos: Path, tmp_path: Path) -> None:
    imports = 'syntax = "proto3"; package shop; import "shop/v1/order.proto";'
    (protos / "service.proto").write_text(imports + "service S { rpc Do(v1.Order) returns (v1.Order); }")
    written = compile_protos(protos, tmp_path / "gen", grpc=True)
    assert [path.name for path in written if "grpc" in path.name] == ["service_pb2_grpc.py"]
    assert "grpcio>=" in written.runtime
    code = (tmp_path / "gen" / "service_pb2_grpc.py").read_text()
    assert "from .shop.v1 import order_pb2 as" in code


def test_names_that_python_cannot_import_plainly_still_work(tmp_path: Path) -> None:
    for name, text in {
        "protos/lambda/x.proto": 'syntax = "proto3"; package x; message X { int32 x = 1; }',
        "protos/a-b/c-d.proto": 'syntax = "proto3"; package c; import "lambda/x.proto"; message C { x.X x = 1; }',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    compile_protos(tmp_path / "protos", tmp_path / "gen")
    assert run_python("from gen.a_b.c_d_pb2 import C; print(C(x={'x': 4}).x.x)", tmp_path) == "4\n"


def test_what_installed_packages_bring_is_not_generated_again(protos: Path, tmp_path: Path) -> None:
    vendored = protos / "google/protobuf/timestamp.proto"
    vendored.parent.mkdir(parents=True)
    vendored.write_text(
        'syntax = "proto3"; package google.protobuf; message Timestamp { int64 seconds = 1; int32 nanos = 2; }'
    )
    written = compile_protos(protos, tmp_path / "gen")
    assert not [path for path in written if "timestamp" in path.name]
    assert (
        run_python(
            "import gen.shop.v1.order_pb2 as o; print(o.Order(placed_at={'seconds': 3}).placed_at.seconds)", tmp_path
        )
        == "3\n"
    )


def test_imports_may_lie_in_other_directories_and_stay_there(protos: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "bill.proto").write_text(
        'syntax = "proto3"; import "money/v1/money.proto"; message Bill { money.v1.Money sum = 1; }'
    )
    written = compile_protos(own, tmp_path / "gen", imports=[protos])
    assert [path.name for path in written if path.suffix == ".py" and path.name != "__init__.py"] == ["bill_pb2.py"]
    assert "from money.v1 import money_pb2" in (tmp_path / "gen" / "bill_pb2.py").read_text()


def test_nothing_is_written_when_a_file_is_refused(protos: Path, tmp_path: Path) -> None:
    (protos / "bad.proto").write_text("message {")
    with pytest.raises(SchemaSyntaxError):
        compile_protos(protos, tmp_path / "gen")
    (protos / "bad.proto").write_text('syntax = "proto3"; import "none.proto";')
    with pytest.raises(SchemaLinkError):
        compile_protos(protos, tmp_path / "gen")
    assert not (tmp_path / "gen").exists()


def test_a_directory_that_is_missing_or_empty_is_a_wrong_option(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for directory in ("none", "empty"):
        with pytest.raises(ConfigError) as caught:
            compile_protos(tmp_path / directory, tmp_path / "gen")
        assert caught.value.option == "proto_dir"


def test_generated_code_writes_the_bytes_that_the_builder_and_the_text_write(
    protos: Path, tmp_path: Path, order: ProtoMessage, values: dict[str, object]
) -> None:
    compile_protos(protos, tmp_path / "gen")
    loaded = load_schema(protos / "shop/v1/order.proto", imports=protos)
    written = order.serialize(values, deterministic=True)
    assert loaded.serialize(values, deterministic=True) == written
    code = f"""
from gen.shop.v1.order_pb2 import Order
from protopact.schema import CompiledProtoMessage
print(CompiledProtoMessage(Order).serialize({values!r}, deterministic=True).hex())
order = Order(id=1, labels={{"b": "2", "a": "1"}}, placed_at={{"seconds": 5}})
print(order.SerializeToString(deterministic=True).hex())
"""
    few = {"id": 1, "labels": {"a": "1", "b": "2"}, "placed_at": "1970-01-01T00:00:05Z"}
    plain = order.serialize(few, deterministic=True)
    assert run_python(code, tmp_path).split() == [written.hex(), plain.hex()]
