"""Texts whose maps are written out, as Confluent's JVM client registered generated classes until December 2024."""

from __future__ import annotations

from typing import Any

import pytest

WRITTEN = """syntax = "proto3";
package shop;

message Order {
  repeated .shop.Order.TotalPricesEntry total_prices = 1;
  .shop.Order.Line line = 2;

  message Line {
    repeated .shop.Order.Line.NotesEntry notes = 1;

    message NotesEntry {
      option map_entry = true;

      string key = 1;
      .shop.Order.Line value = 2;
    }
  }
  message TotalPricesEntry {
    option map_entry = true;

    string key = 1;
    int64 value = 2;
  }
}
"""


def test_a_map_that_is_written_out_is_kept_as_a_map(ask: Any) -> None:
    kept = ask.register("s", WRITTEN)
    assert "map_entry" not in kept["schema"]
    assert "map<string, int64> total_prices = 1;" in kept["schema"]
    assert "map<string, Line> notes = 1;" in kept["schema"]
    assert ask.look_up("s", WRITTEN)["id"] == kept["id"]
    assert ask.register("s", kept["schema"])["version"] == 1


def test_it_is_the_schema_that_writes_the_same_map_short(ask: Any) -> None:
    short = """syntax = "proto3"; package shop; message Order { message Line { map<string, Line> notes = 1; }
        map<string, int64> total_prices = 1; Line line = 2; }"""
    normalized = [ask.register(name, text, normalize="true") for name, text in (("a", WRITTEN), ("b", short))]
    assert normalized[0]["guid"] == normalized[1]["guid"]


@pytest.mark.parametrize(
    "broken",
    [
        WRITTEN.replace("repeated .shop.Order.TotalPricesEntry", ".shop.Order.TotalPricesEntry"),
        WRITTEN.replace("TotalPricesEntry", "Prices"),
        WRITTEN.replace("string key = 1;\n    int64", "bytes key = 1;\n    int64"),
        WRITTEN.replace("int64 value = 2;", "int64 value = 3;"),
        'syntax = "proto3"; message A { option map_entry = true; string key = 1; string value = 2; }',
        'syntax = "proto3"; message A { } // option map_entry = true;\nmessage',
    ],
)
def test_what_cannot_be_a_map_stays_refused(ask: Any, broken: str) -> None:
    assert ask.register("s", broken)["error_code"] == 42201
    assert ask.get("/subjects") == []
