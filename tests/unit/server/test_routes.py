"""How a path finds its command."""

from __future__ import annotations

import time

import pytest

from protopact.errors import RegistryError
from protopact.flow import Call
from protopact.server.surface.routes import ROUTES, allowed_methods, find_command

# A context alone, "/contexts/eu/", is another path than "/".
PLACES = [(prefix, *route) for prefix in ("", "/contexts/eu") for route in ROUTES if prefix == "" or route[1] != "/"]
FILLING = {
    "id": "7",
    "subject": "versions",
    "version": "schema",
    "guid": "ids",
    "context": "c",
    "tag": "tags",
    "type": "name",
    "name": "type",
}


@pytest.mark.parametrize(("prefix", "method", "path", "command"), PLACES)
def test_every_line_of_the_table_is_reached_by_its_path(prefix: str, method: str, path: str, command: object) -> None:
    filled = path.format(**FILLING)
    found, question = find_command(Call(method, prefix + filled))
    assert found is command
    assert question.context == (".eu" if prefix else ".")
    assert method in allowed_methods(prefix + filled)
    assert set(question.parts.values()) <= set(FILLING.values())


@pytest.mark.parametrize("path", ["/x", "/schemas/ids", "/schemas/ids/1/2", "/subjects/a/versions/1/x/y"])
def test_other_paths_are_not_found(path: str) -> None:
    with pytest.raises(RegistryError) as caught:
        find_command(Call("GET", path))
    assert caught.value.status == 404


def test_a_long_path_costs_linear_time() -> None:
    def cost(path: str) -> float:
        start_s = time.thread_time()  # not the clock on the wall: the machine may have other things to do
        for _ in range(5):
            with pytest.raises(RegistryError):
                find_command(Call("GET", path))
        return time.thread_time() - start_s

    for piece in ("/", "/subjects", "%41", "/%ff", "{", "versions/"):
        short, long = cost("/subjects/" + piece * 2_000), cost("/subjects/" + piece * 20_000)
        assert long < 0.5 + short * 100
