"""Long work is done in a contained process, and gives there what it gives here."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from protopact.errors import RegistryError, SchemaLinkError, SchemaSyntaxError
from protopact.server.decisions import apart as place
from protopact.server.decisions.apart import LIGHT_BYTES_MAX, Apart
from protopact.server.decisions.understanding import Imported, understand
from protopact.settings import CompilerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.conftest import Asker

    from protopact.compiler import Workers

PADDING = f"/*{'x' * LIGHT_BYTES_MAX}*/"
IMPORTED = Imported("money.proto", b'\x12\x01m"\x07\n\x05Moneyb\x06proto3')


@pytest.fixture(scope="module")
def apart() -> Iterator[Apart]:
    with closing(Apart(CompilerSettings())) as opened:
        yield opened


def both(schema: str, apart: Apart, workers: Workers, **more: Any) -> list[object]:
    found: list[object] = []
    for text in (schema, schema + PADDING):
        try:
            found.append(
                understand(text, more.get("imports", ()), workers, apart, normalize=more.get("normalize", False))
            )
        except (SchemaSyntaxError, SchemaLinkError) as error:
            found.append((type(error), [(one.file, one.line, one.message) for one in error.diagnostics]))
        except RegistryError as error:
            found.append((type(error), error.error_code, error.message))
    return found


@pytest.mark.parametrize(
    "schema",
    [
        'syntax = "proto3"; message A { string b = 2; int32 a = 1; }',
        'syntax = "proto3"; import "money.proto"; message A { m.Money price = 1; }',
        'syntax = "proto3"; import "gone.proto";',
        "message {",
        "message M {" * 40 + "}" * 40,
    ],
)
@pytest.mark.parametrize("normalize", [False, True])
def test_a_long_schema_is_understood_as_a_short_one(
    schema: str, apart: Apart, workers: Workers, *, normalize: bool
) -> None:
    here, there = both(schema, apart, workers, imports=[IMPORTED], normalize=normalize)
    assert here == there


def test_work_that_takes_too_long_is_given_up(apart: Apart, workers: Workers) -> None:
    slow = Apart(CompilerSettings(cpu_s=0.05))
    many = 'syntax = "proto3"; message A { reserved ' + ",".join(str(n) for n in range(1, 40_000, 2)) + "; }"
    with closing(slow), pytest.raises(SchemaSyntaxError, match=r"the compiler gave up: it needed more than 0\.04 s"):
        understand(many, (), workers, slow, normalize=False)
    assert both('syntax = "proto3";', apart, workers)[0] == ('syntax = "proto3";\n', b"b\x06proto3")


def test_where_too_many_wait_the_next_is_sent_away(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "_JOBS_MAX", 0)
    with closing(Apart(CompilerSettings())) as full, pytest.raises(RegistryError) as refused:
        understand(f'syntax = "proto3";{PADDING}', (), workers, full, normalize=False)
    assert refused.value.status == 503


def test_a_long_history_gives_the_verdict_of_a_short_one(ask: Asker) -> None:
    ask.put("/config", {"compatibility": "FULL_TRANSITIVE"})
    kept = " ".join(f"int32 kept_{'x' * 60}{n} = {n};" for n in range(10, 200))
    for subject, rest in (("short", ""), ("long", kept)):
        schema = f'syntax = "proto3"; message A {{ int32 a = 1; {rest} }}'
        assert ask.register(subject, schema)["version"] == 1
        assert ask.register(subject, schema.replace("int32 a", "int32 b"))["version"] == 2
    answers = [
        ask.register(subject, f'syntax = "proto3"; message A {{ string a = 1; {rest} }}')["message"]
        for subject, rest in (("short", ""), ("long", kept))
    ]
    short, long = (answer.replace("'long'", "'short'").partition(", {oldSchemaVersion")[0] for answer in answers)
    assert "FIELD_SCALAR_KIND_CHANGED" in short
    assert long.replace('"long"', '"short"') == short
