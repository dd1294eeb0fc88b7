from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.errors import ConfigError
from protopact.schema import ProtoMessage, load_schema

if TYPE_CHECKING:
    from pathlib import Path


def files_below(directory: Path) -> set[str]:
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


def test_a_saved_schema_loads_as_the_same(tmp_path: Path, order: ProtoMessage) -> None:
    path = order.save_schema(tmp_path / "new" / "place")
    assert path == tmp_path / "new" / "place" / "shop/v1/order.proto"
    assert path.read_text(encoding="utf-8") == order.to_schema_string()
    again = load_schema(path, message=order.name, imports=tmp_path / "new" / "place")
    assert again.file_set.fingerprint == order.file_set.fingerprint


def test_imports_are_saved_under_their_paths_but_not_the_built_in_ones(tmp_path: Path, order: ProtoMessage) -> None:
    order.save_schema(str(tmp_path))
    assert files_below(tmp_path) == {"shop/v1/order.proto", "money/v1/money.proto"}


def test_saving_again_replaces_and_leaves_no_drafts(tmp_path: Path, order: ProtoMessage) -> None:
    path = order.save_schema(tmp_path)
    path.write_text("something else")
    order.save_schema(tmp_path)
    assert path.read_text() == order.to_schema_string()
    assert files_below(tmp_path) == {"shop/v1/order.proto", "money/v1/money.proto"}


def test_a_link_that_leads_out_of_the_directory_is_not_followed(tmp_path: Path, order: ProtoMessage) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (inside / "money").symlink_to(outside)
    with pytest.raises(ConfigError, match="leads out"):
        order.save_schema(inside)
    assert files_below(outside) == set()
    assert files_below(inside) == set()


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path, order: ProtoMessage) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        order.save_schema(tmp_path / "file")
