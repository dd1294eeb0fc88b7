"""The plugin gives a test author broker and registry, costs nothing unused, and does not flake."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).parents[3] / "docs" / "testing.md"
LINES_MAX = 20
# pytest_generate_tests has each test run so many times, each time as a test of its own.
REPEATED = """
def pytest_generate_tests(metafunc):
    metafunc.fixturenames.append("round_number")
    metafunc.parametrize("round_number", range({rounds}))
"""


def documented_test() -> str:
    """Give the test file that the page shows."""
    found = re.search(r"cat > test_orders\.py <<'PYTHON'\n(.*?)PYTHON\n", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a folder with this plugin alone, since others that are installed take a second to load."""
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return run_users_pytest(folder, "-p", "protopact", *arguments, env=alone)


def run_users_pytest(
    folder: Path, *arguments: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run them as a user does, whose pytest finds the plugin by itself."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300)


def test_the_documented_test_is_short_and_passes_each_time(
    tmp_path: Path, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    text, rounds = documented_test(), count(2, 200)
    assert len(text.splitlines()) <= LINES_MAX
    (tmp_path / "test_orders.py").write_text(text)
    (tmp_path / "conftest.py").write_text(REPEATED.format(rounds=rounds))
    began = time.perf_counter()
    done = run_users_pytest(tmp_path, "--durations=0", "--durations-min=0")
    seconds = time.perf_counter() - began
    assert f"{rounds} passed" in done.stdout, done.stdout + done.stderr
    spent = [float(found) for found in re.findall(r"([\d.]+)s (?:setup|call|teardown)", done.stdout)]
    say(
        f"the documented test, {rounds} rounds: {sum(spent) / rounds * 1000:.0f} ms each,"
        f" {seconds:.1f} s in all with pytest's start"
    )


def test_faults_end_with_the_test(tmp_path: Path) -> None:
    (tmp_path / "test_faults.py").write_text("""
from protopact.integrations.kafka import kafka_produce

def test_one(kafka):
    kafka.faults.error("TOPIC_AUTHORIZATION_FAILED", "Produce", times=None)
    kafka.faults.refuse_connections()

def test_two(kafka):
    assert kafka_produce(kafka.bootstrap_servers, kafka.create_topic(), b"1").offset == 0
""")
    done = run_pytest(tmp_path)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_a_fresh_broker_is_a_tests_own(tmp_path: Path) -> None:
    (tmp_path / "test_fresh.py").write_text("""
import pytest

@pytest.mark.parametrize("number", range(3))
def test_it_is_empty(fresh_kafka, number):
    assert fresh_kafka.create_topic("always-the-same") == "always-the-same"

def test_it_is_not_the_shared_one(kafka, fresh_kafka):
    assert kafka.bootstrap_servers != fresh_kafka.bootstrap_servers
""")
    done = run_pytest(tmp_path)
    assert "4 passed" in done.stdout, done.stdout + done.stderr


def test_a_registry_is_a_tests_own_and_the_same_over_http(tmp_path: Path) -> None:
    (tmp_path / "test_registry.py").write_text("""
import pytest
from protopact import connect_registry, load_schema

@pytest.mark.parametrize("number", range(3))
def test_it_is_empty_and_has_an_address(registry, number):
    assert registry.client.get_subjects() == []
    with connect_registry(registry.url) as other:
        other.register("orders-value", load_schema('syntax = "proto3"; message Order { int64 id = 1; }'))
    assert registry.client.get_subjects() == ["orders-value"]
""")
    done = run_pytest(tmp_path)
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_the_fixtures_are_listed_with_what_they_give(tmp_path: Path) -> None:
    shown = run_pytest(tmp_path, "--fixtures").stdout
    for name in ("kafka [session scope]", "fresh_kafka", "registry"):
        assert f"{name} -- " in shown


def test_unused_the_plugin_loads_nothing_but_itself_and_needs_no_extra(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("""
import sys
def pytest_unconfigure():
    print("LOADED", sorted(name for name in sys.modules if name.partition(".")[0] in {"protopact", "google", "kio"}))
""")
    (tmp_path / "test_none.py").write_text("def test_nothing(): pass\n")
    done = run_pytest(tmp_path)
    assert "LOADED ['protopact', 'protopact.door', 'protopact.testing', 'protopact.testing.plugin']" in done.stdout


def test_the_plugin_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "test_left_out.py").write_text("def test_it(kafka): pass\n")
    done = run_users_pytest(tmp_path, "-p", "no:protopact")
    assert "fixture 'kafka' not found" in done.stdout


def test_a_users_own_fixture_of_the_same_name_goes_first(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("import pytest\n@pytest.fixture\ndef kafka():\n    return 'mine'\n")
    (tmp_path / "test_mine.py").write_text("def test_it(kafka):\n    assert kafka == 'mine'\n")
    assert "1 passed" in run_pytest(tmp_path).stdout


@pytest.mark.parametrize("package", ["kio", "cramjam"])
def test_without_the_packages_of_the_extra_the_fixture_says_which_one(tmp_path: Path, package: str) -> None:
    (tmp_path / "conftest.py").write_text(f"import sys\nsys.modules[{package!r}] = None\n")
    (tmp_path / "test_it.py").write_text("def test_it(kafka): pass\n")
    shown = run_pytest(tmp_path).stdout
    assert f"MissingExtraError: the embedded broker needs the package {package}" in shown
