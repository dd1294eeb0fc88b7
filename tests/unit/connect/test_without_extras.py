"""Records are written and read with the compiler alone: what serves other purposes is not loaded for it."""

from __future__ import annotations

import subprocess
import sys

OTHER_EXTRAS = (
    "argon2", "confluent_kafka", "httpx2", "jwt", "prometheus_client", "protovalidate", "psycopg", "pyarrow",
    "pydantic", "pydantic_core", "rich", "uvicorn",
)  # fmt: skip
RECORD = """
import sys
for extra in sys.argv[1:]:
    sys.modules[extra] = None  # as if it were not installed
from protopact import Deserializer, ProtoField, ProtoMessage, Serializer, connect_registry
order = ProtoMessage("Order", fields=[ProtoField("id", "int64", 1)])
with connect_registry("memory:") as registry:
    record = Serializer(registry, order).bind("orders")({"id": 7})
    assert Deserializer(registry, into=dict).bind("orders")(record) == {"id": 7}
    assert Deserializer(registry, into="json").bind("orders")(record) == '{"id":"7"}'
"""


def test_records_need_no_extra_but_the_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", RECORD, *OTHER_EXTRAS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
