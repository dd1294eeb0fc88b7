"""`schema check|diff|delete|references|download` against a registry on disk."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unit.cli.running import Ran

FILE = 'syntax = "proto3";\npackage shop;\nmessage Item {{\n{}}}\n'
FIRST, SECOND = "  int64 id = 1;\n", "  int64 id = 1;\n  string name = 2;\n"
pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def item(tmp_path: Path) -> Callable[[str], Path]:
    """Write a file whose message has these fields."""

    def write(fields: str) -> Path:
        path = tmp_path / "item.proto"
        path.write_text(FILE.format(fields))
        return path

    return write


@pytest.fixture
def items(store: str, run: Callable[..., Ran], item: Callable[[str], Path]) -> None:
    """Register two versions of `items-value`."""
    for fields in (FIRST, SECOND):
        assert run("schema", "register", "items-value", item(fields)).code == 0


@pytest.mark.usefixtures("items")
def test_check_gives_each_reason_and_exit_code_100(run: Callable[..., Ran], item: Callable[[str], Path]) -> None:
    good = run("schema", "check", "items-value", item(SECOND))
    assert good.code == 0
    assert good.said == {
        "subject": "items-value",
        "compatible": True,
        "level": "BACKWARD",
        "policy": "confluent",
        "versions": [2],
        "findings": [],
    }
    bad = run("schema", "check", "items-value", item("  string id = 1;\n"), "--level", "BACKWARD_TRANSITIVE")
    assert bad.code == 100
    (finding,) = bad.said["findings"]
    assert (finding["type"], finding["path"], finding["against"]) == (
        "FIELD_SCALAR_KIND_CHANGED",
        "#/Item/1",
        "items-value v2",
    )
    assert finding["description"].startswith("The kind of a SCALAR field at path '#/Item/1'")


@pytest.mark.usefixtures("items")
def test_check_takes_level_policy_and_version_from_subject_or_option(
    run: Callable[..., Ran], item: Callable[[str], Path], store: str
) -> None:
    reused = item("  int64 id = 1;\n  int64 name = 2;\n")
    assert run("schema", "check", "items-value", reused).code == 100
    alone = run("schema", "check", "items-value", reused, "--version", "1")
    assert (alone.code, alone.said["versions"]) == (0, [1])
    narrowed = item("  int32 id = 1;\n  string name = 2;\n")
    assert run("schema", "check", "items-value", narrowed).code == 0
    assert run("schema", "check", "items-value", narrowed, "--policy", "wire").code == 100
    from protopact.connect import connect_registry
    from protopact.registry import Config

    with connect_registry(store) as registry:
        registry.set_config(Config(compatibility_level="FULL", breaking_policy="wire"), "items-value")
    strict = run("schema", "check", "items-value", narrowed)
    assert (strict.code, strict.said["level"], strict.said["policy"]) == (100, "FULL", "wire")


@pytest.mark.usefixtures("items")
def test_check_may_leave_the_verdict_to_the_registry(run: Callable[..., Ran], item: Callable[[str], Path]) -> None:
    assert run("schema", "check", "items-value", item(SECOND), "--ask-registry").said["compatible"]
    bad = run("schema", "check", "items-value", item("  string id = 1;\n"), "--ask-registry")
    assert bad.code == 100
    assert "FIELD_SCALAR_KIND_CHANGED" in bad.said["messages"][0]
    shown = run("schema", "check", "items-value", item("  string id = 1;\n"), "--ask-registry", "--format", "table")
    assert shown.out.startswith("incompatible with items-value\n  {errorType")


def test_any_schema_may_be_the_first_of_a_subject(run: Callable[..., Ran], item: Callable[[str], Path]) -> None:
    ran = run("schema", "check", "new-value", item(FIRST), "--format", "table")
    assert (ran.code, ran.out) == (0, "compatible with new-value at BACKWARD: no version yet\n")


@pytest.mark.usefixtures("items")
def test_check_reads_standard_input(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(FILE.format("  string id = 1;\n")))
    assert run("schema", "check", "items-value", "-").code == 100


@pytest.mark.usefixtures("items")
def test_diff_shows_two_versions_or_a_version_and_a_file(run: Callable[..., Ran], item: Callable[[str], Path]) -> None:
    added = {"type": "FIELD_ADDED", "path": "#/Item/2", "before": "", "after": "string name = 2"}
    assert run("schema", "diff", "items-value").said == [{**added, "backward": "compatible"}]
    (back,) = run("schema", "diff", "items-value", "--from", "2", "--to", "1").said
    assert back["type"] == "FIELD_REMOVED"
    (kind,) = run("schema", "diff", "items-value", item("  string id = 1;\n"), "--from", "1").said
    assert (kind["type"], kind["backward"]) == ("FIELD_SCALAR_KIND_CHANGED", "incompatible")
    assert "#/Item/2" in run("schema", "diff", "items-value", "--format", "table").out


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "1"], "has no version before 1"),
        (["--from", "9"], "Version 9 not found"),
        (["item.proto", "--to", "1"], "not with both"),
    ],
)
def test_a_diff_that_cannot_be_is_an_error(run: Callable[..., Ran], words: list[str], said: str) -> None:
    failed = run("schema", "diff", "items-value", *words)
    assert failed.code == 1
    assert said in failed.err


@pytest.mark.usefixtures("items")
def test_delete_hides_first_and_removes_for_good_when_told(run: Callable[..., Ran]) -> None:
    assert run("schema", "delete", "items-value", "--version", "1", "--yes").said == {
        "subject": "items-value",
        "versions": [1],
        "permanent": False,
    }
    assert run("schema", "delete", "items-value", "--version", "1", "--permanent", "--yes").said["versions"] == [1]
    assert run("schema", "delete", "items-value", "--yes").said["versions"] == [2]
    assert run("schema", "delete", "items-value", "--yes").code == 1
    gone = run("schema", "delete", "items-value", "--permanent", "--yes", "--format", "table")
    assert gone.out == "deleted for good: items-value, versions 2\n"
    assert run("schema", "get", "items-value").code == 1


@pytest.mark.usefixtures("items")
def test_delete_asks_at_a_terminal_and_refuses_without_one(
    run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for answer, code in (("", 1), ("n\n", 1), ("y\n", 0)):
        monkeypatch.setattr("sys.stdin", Terminal(answer))
        ran = run("schema", "delete", "items-value", "--permanent")
        assert ran.code == code
        assert ran.err.startswith("Delete for good items-value? [y/N] ")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    refused = run("schema", "delete", "items-value")
    assert refused.code == 1
    assert "--yes" in refused.err


def test_references_lists_both_directions(run: Callable[..., Ran], shop: Callable[..., Path]) -> None:
    run("apply", shop())
    assert run("schema", "references", "orders-value").said == [
        {
            "direction": "imports",
            "subject": "shop/money.proto",
            "version": 1,
            "id": 1,
            "path": "shop/money.proto",
        }
    ]
    (importer,) = run("schema", "references", "shop/money.proto").said
    assert (importer["direction"], importer["subject"], importer["id"]) == ("imported by", "orders-value", 2)


def test_references_of_a_context_stay_in_it(run: Callable[..., Ran], shop: Callable[..., Path]) -> None:
    directory = shop()
    (directory / "protopact.toml").write_text('[subjects]\n":.eu:orders-value" = "shop/order.proto"\n')
    assert run("apply", directory).code == 0
    (imported,) = run("schema", "references", ":.eu:orders-value").said
    assert imported["subject"] == ":.eu:shop/money.proto"
    (importer,) = run("schema", "references", ":.eu:shop/money.proto").said
    assert importer["subject"] == ":.eu:orders-value"


def test_download_writes_what_compiles_again(
    run: Callable[..., Ran], shop: Callable[..., Path], tmp_path: Path
) -> None:
    run("apply", shop())
    fetched = tmp_path / "fetched"
    ran = run("schema", "download", "orders-value", fetched, "--as", "shop/order.proto")
    assert ran.out.split() == [str(fetched / "shop/order.proto"), str(fetched / "shop/money.proto")]
    assert run("breaking", fetched, "--against", shop(), "--policy", "source").code == 0


def test_download_writes_nothing_outside_its_directory(
    run: Callable[..., Ran], shop: Callable[..., Path], tmp_path: Path
) -> None:
    run("apply", shop())
    assert run("schema", "download", "orders-value", tmp_path / "a", "--as", "../order.proto").code == 1
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "shop").symlink_to(tmp_path)
    assert run("schema", "download", "orders-value", tmp_path / "b").code == 1
    assert not (tmp_path / "money.proto").exists()
    assert not (tmp_path / "order.proto").exists()
