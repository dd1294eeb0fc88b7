from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.type_pb2 import Field
from google.type.money_pb2 import Money

from protopact.errors import ConfigError, MessageNotFoundError
from protopact.schema import CompiledProtoMessage, ProtoSchema, load_compiled_message, load_schema

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS = {
    "v1": 'syntax = "proto3"; package p; message User { string name = 1; message Address { string city = 1; } }',
    "v2": 'syntax = "proto3"; package p; message User { int64 name = 1; message Address { int32 city = 1; } }',
}


@pytest.fixture
def versions(tmp_path: Path) -> dict[str, Path]:
    for name, text in VERSIONS.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "user.proto").write_text(text)
    return {name: tmp_path / name / "user.proto" for name in VERSIONS}


def test_a_generated_class_is_used_as_it_is() -> None:
    schema = CompiledProtoMessage(Money)
    assert isinstance(schema, ProtoSchema)
    assert schema.message_class is Money
    assert (schema.name, schema.file_name, schema.message_index) == (
        "google.type.Money",
        "google/type/money.proto",
        (0,),
    )
    message = Money(currency_code="EUR", units=5)
    assert schema.serialize(message) == message.SerializeToString()
    assert schema.deserialize(schema.serialize({"currency_code": "EUR", "units": 5})) == {
        "currency_code": "EUR", "units": 5, "nanos": 0,
    }  # fmt: skip


def test_a_class_of_a_file_with_imports_brings_them_along() -> None:
    schema = CompiledProtoMessage(Field)
    assert {file.name for file in schema.file_set.files} >= {"google/protobuf/type.proto", "google/protobuf/any.proto"}


def test_a_generated_classs_text_compiles_to_the_same_file() -> None:
    schema = CompiledProtoMessage(Money)
    again = load_schema(schema.to_schema_string(), file_name="money.proto")
    assert again.serialize({"units": 7}) == schema.serialize({"units": 7})


@pytest.mark.parametrize("given", [Message, Struct(), int, "p.User", None])
def test_what_is_no_message_class_is_refused(given: object) -> None:
    with pytest.raises(ConfigError) as caught:
        CompiledProtoMessage(given)  # type: ignore[arg-type]
    assert caught.value.option == "message_class"


def test_two_versions_of_one_compiled_message_live_in_one_process(versions: dict[str, Path]) -> None:
    first, second = (load_compiled_message(path, "p.User") for path in versions.values())
    assert (first.name, first.file_name) == (second.name, second.file_name) == ("p.User", "user.proto")
    assert first.deserialize(first.serialize({"name": "Ann"})) == {"name": "Ann"}
    assert second.deserialize(second.serialize({"name": 7})) == {"name": 7}
    assert first.message_class(name="Ann").name == "Ann"
    assert second.message_class(name=7).name == 7


def test_a_nested_message_can_be_the_root(versions: dict[str, Path]) -> None:
    schema = load_compiled_message(versions["v1"], "User.Address")
    assert (schema.name, schema.message_index) == ("p.User.Address", (0, 0))
    assert schema.deserialize(schema.serialize({"city": "Ulm"})) == {"city": "Ulm"}
    outer = load_compiled_message(versions["v1"], "User").message_class
    assert CompiledProtoMessage(outer.Address).name == "p.User.Address"  # type: ignore[attr-defined]


def test_loading_touches_neither_the_default_pool_nor_the_modules(versions: dict[str, Path]) -> None:
    from google.protobuf import descriptor_pool

    before = set(sys.modules)
    load_compiled_message(versions["v1"], "User").serialize({"name": "Ann"})
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName("p.User")
    assert not any("user_pb2" in name for name in set(sys.modules) - before)


def test_a_timestamp_of_protobufs_own_pool_fits_into_a_compiled_class(tmp_path: Path) -> None:
    text = (
        'syntax = "proto3"; import "google/protobuf/timestamp.proto"; message A { google.protobuf.Timestamp at = 1; }'
    )
    (tmp_path / "a.proto").write_text(text)
    schema = load_compiled_message(tmp_path / "a.proto", "A")
    message = schema.new_message({"at": Timestamp(seconds=5)})
    assert type(message) is schema.message_class
    assert schema.serialize(message) == schema.serialize({"at": Timestamp(seconds=5)}) == b"\x0a\x02\x08\x05"


def test_imports_are_found_in_the_directories_that_are_named(protos: Path) -> None:
    schema = load_compiled_message(protos / "shop/v1/order.proto", "Cancelled", imports=protos)
    assert (schema.name, schema.file_name) == ("shop.v1.Cancelled", "shop/v1/order.proto")


def test_a_message_that_is_not_there_is_refused(versions: dict[str, Path]) -> None:
    with pytest.raises(MessageNotFoundError):
        load_compiled_message(versions["v1"], "Customer")


def test_a_real_family_of_files_survives_being_saved_and_loaded(tmp_path: Path) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    schema = CompiledProtoMessage(ExportTraceServiceRequest)
    loaded = load_schema(schema.save_schema(tmp_path), message=schema.name, imports=tmp_path)
    assert loaded.file_name == schema.file_name == "opentelemetry/proto/collector/trace/v1/trace_service.proto"
    message = ExportTraceServiceRequest()
    span = message.resource_spans.add().scope_spans.add().spans.add(name="request", trace_id=b"\0" * 16, flags=1)
    span.attributes.add(key="size").value.int_value = 2**53 + 1
    raw = schema.serialize(message)
    assert loaded.deserialize(raw) == schema.deserialize(raw)
    assert loaded.serialize(loaded.deserialize(raw)) == raw == loaded.serialize(message)
