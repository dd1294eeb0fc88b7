"""The container files say what the product knows: extras, options, no root, no secrets. Nothing is built here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from protopact.cli.main import main

HOME = Path(__file__).parents[2]
DOCKERFILE = (HOME / "Dockerfile").read_text()
COMPOSE = (HOME / "compose.yaml").read_text()


def words(instruction: str) -> list[str]:
    """The quoted words of an instruction in its exec form."""
    (found,) = re.findall(rf"^{instruction} \[(.*)\]$", DOCKERFILE, re.MULTILINE)
    return re.findall(r'"([^"]*)"', found)


def test_the_image_installs_extras_that_exist() -> None:
    extras = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r"--extra (\S+)", DOCKERFILE)) <= set(extras)


def test_the_image_does_not_run_as_root_tells_its_health_and_names_its_base_exactly() -> None:
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert "/health/ready" in re.split(r"^HEALTHCHECK ", DOCKERFILE, flags=re.MULTILINE)[1]
    assert re.search(r"^ARG PYTHON_IMAGE=python:\d+\.\d+\.\d+-", DOCKERFILE, re.MULTILINE)
    assert len(re.findall(r"^FROM \$\{PYTHON_IMAGE\}", DOCKERFILE, re.MULTILINE)) == 2


def test_the_image_runs_a_command_that_is_refused_only_for_want_of_users(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PROTOPACT_REGISTRY_USERS", raising=False)
    assert words("ENTRYPOINT") == ["protopact"]
    command = [word.replace("/data/", f"{tmp_path}/") for word in words("CMD")]
    assert main(command) == 1
    assert "others can reach 0.0.0.0, and the registry has no authentication" in capsys.readouterr().err


def test_compose_holds_no_secret_and_gives_options_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(re.findall(r"PASSWORD: (.*)", COMPOSE)) == {"${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD}"}
    with pytest.raises(SystemExit):
        main(["registry", "serve", "--help"])
    known = capsys.readouterr().out
    given = re.findall(r"^ +- (--[a-z-]+)=", COMPOSE, re.MULTILINE)
    assert given == [option for option in given if f"{option} " in known] != []


def test_images_of_others_have_a_tag_that_does_not_move() -> None:
    assert re.findall(r"^    image: (?!protopact:)(.*)$", COMPOSE, re.MULTILINE) == ["postgres:17.5-bookworm"]
