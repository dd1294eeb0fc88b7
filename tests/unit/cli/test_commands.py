"""The commands against real parts: a registry on disk, a compiler, a server process."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from protopact.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


ORDER = 'syntax = "proto3";\npackage shop;\nimport "shop/money.proto";\nmessage Order {\n  Money price = 1;\n}\n'
MONEY = 'syntax = "proto3";\npackage shop;\nmessage Money {\n  int64 units = 1;\n}\n'


def write_protos(directory: Path) -> Path:
    (directory / "shop").mkdir(parents=True)
    (directory / "shop" / "money.proto").write_text(MONEY)
    order = directory / "shop" / "order.proto"
    order.write_text(ORDER)
    return order


def test_a_file_is_registered_with_its_imports_listed_and_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = write_protos(tmp_path / "protos")
    registry = ["--registry", f"sqlite:{tmp_path / 'registry.db'}"]
    assert main(["schema", "register", "orders-value", str(order), "-I", str(tmp_path / "protos"), *registry]) == 0
    registered = json.loads(capsys.readouterr().out)
    assert registered[0]["references"] == ["shop/money.proto = shop/money.proto v1"]

    assert main(["schema", "list", *registry]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["subject"] for row in listed] == ["orders-value", "shop/money.proto"]

    assert main(["schema", "list", "orders-value", "--format", "table", *registry]) == 0
    assert "shop/money.proto v1" in capsys.readouterr().out

    assert main(["schema", "get", "shop/money.proto", *registry]) == 0
    assert "message Money" in capsys.readouterr().out

    assert main(["schema", "get", "--id", str(registered[0]["id"]), "--json", *registry]) == 0
    assert 'import "shop/money.proto"' in json.loads(capsys.readouterr().out)["schema"]


def test_an_unknown_subject_is_an_error_in_the_registry_s_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", "get", "nothing", "--registry", f"sqlite:{tmp_path / 'registry.db'}"]) == 1
    assert capsys.readouterr().err.startswith("error: Subject 'nothing' not found.")


def test_compile_makes_a_package_that_can_be_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_protos(tmp_path / "protos")
    output = tmp_path / "app" / "generated"
    assert main(["compile", str(tmp_path / "protos"), str(output)]) == 0
    assert "the generated code needs protobuf" in capsys.readouterr().out
    program = "from app.generated.shop.order_pb2 import Order; print(Order(price={'units': 5}).price.units)"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.stdout.strip() == "5", result.stderr


def test_a_public_address_without_authentication_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["registry", "serve", "--store", "memory:", "--listen", "0.0.0.0:0"]) == 1
    assert "--insecure" in capsys.readouterr().err


@pytest.mark.parametrize("given", [["--tls-client-ca", "ca.pem"], ["--tls-cert", "a.pem", "--tls-client-ca", "ca.pem"]])
def test_client_certificates_need_a_certificate_of_the_server(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["registry", "serve", "--store", "memory:", "--listen", "127.0.0.1:0", *given]) == 1
    assert "--tls-cert and --tls-key go together" in capsys.readouterr().err
