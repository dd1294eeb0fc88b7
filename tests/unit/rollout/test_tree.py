"""Trees of `.proto` files: from a directory, and as git kept them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from protopact.errors import ConfigError, SchemaLinkError, SchemaSyntaxError
from protopact.rollout import read_revision, read_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def git(directory: Path, *words: str) -> str:
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", "-C", str(directory), *who, *words], check=True, capture_output=True, text=True
    ).stdout


def commit(directory: Path) -> None:
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", "a state")


def test_a_directory_is_read_by_import_path_without_hidden_places(shop: Callable[..., Path]) -> None:
    directory = shop({".venv/lib/x.proto": "no schema at all", "notes.txt": "no schema"})
    tree = read_tree(directory)
    assert sorted(tree.texts) == ["shop/money.proto", "shop/order.proto"]
    assert sorted(tree.compile()) == ["shop/money.proto", "shop/order.proto"]


def test_named_files_come_with_their_imports_alone(shop: Callable[..., Path]) -> None:
    directory = shop({"broken.proto": "message {"})
    assert sorted(read_tree(directory, ["shop/order.proto"]).texts) == ["shop/money.proto", "shop/order.proto"]


def test_an_import_from_outside_the_directory_is_refused(shop: Callable[..., Path]) -> None:
    with pytest.raises(SchemaLinkError, match=r"shop/money\.proto"):
        read_tree(shop({"shop/money.proto": None})).compile()


def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    for read in (read_tree, lambda place: read_revision(place, "HEAD")):
        with pytest.raises(ConfigError, match="is no directory"):
            read(tmp_path / "nowhere")


def test_a_file_that_is_not_utf_8_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "latin.proto").write_bytes(b"// caf\xe9\n")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    for read in (lambda: read_tree(tmp_path), lambda: read_revision(tmp_path, "HEAD")):
        with pytest.raises(SchemaSyntaxError, match=r"latin\.proto"):
            read()


def test_a_revision_gives_the_files_that_the_directory_had(shop: Callable[..., Path]) -> None:
    directory = shop({".hidden/x.proto": "no schema", "ümlaut file.proto": 'syntax = "proto3";'})
    git(directory.parent, "init", "--quiet")
    commit(directory.parent)
    before = read_tree(directory)
    shop({"shop/money.proto": None, "later.proto": 'syntax = "proto3";'})
    commit(directory.parent)
    assert read_revision(directory, "HEAD~1").texts == before.texts
    assert read_revision(directory, "HEAD").texts == read_tree(directory).texts
    assert read_revision(directory, "HEAD~1").origin == "git#HEAD~1"


def test_a_directory_that_a_revision_did_not_have_is_empty(shop: Callable[..., Path]) -> None:
    directory = shop()
    git(directory.parent, "init", "--quiet")
    (directory.parent / "readme").write_text("nothing yet")
    git(directory.parent, "add", "readme")
    git(directory.parent, "commit", "--quiet", "--message", "first")
    assert read_revision(directory, "HEAD").texts == {}


def test_a_symbolic_link_is_followed_inside_the_tree_alone(shop: Callable[..., Path]) -> None:
    directory = shop()
    (directory / "short.proto").symlink_to("shop/money.proto")
    (directory / "outside.proto").symlink_to("/etc/hostname")
    (directory / "circle.proto").symlink_to("circle.proto")
    git(directory, "init", "--quiet")
    commit(directory)
    texts = read_revision(directory, "HEAD").texts
    assert texts["short.proto"] == texts["shop/money.proto"]
    assert {"outside.proto", "circle.proto"} & texts.keys() == set()


@pytest.mark.parametrize("revision", ["nowhere", "--output=/tmp/x", "HEAD:shop"])
def test_an_unknown_revision_is_refused_in_git_s_words(shop: Callable[..., Path], revision: str) -> None:
    directory = shop()
    git(directory, "init", "--quiet")
    commit(directory)
    with pytest.raises(ConfigError, match="git says"):
        read_revision(directory, revision)


def test_a_directory_in_no_repository_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ConfigError, match="not a git repository"):
        read_revision(tmp_path, "HEAD")


def test_without_git_a_revision_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="git is not installed"):
        read_revision(tmp_path, "HEAD")
