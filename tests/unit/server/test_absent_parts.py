"""Parts of Confluent's surface that are not kept here: 404 with its error code, by which clients know to do without."""

from __future__ import annotations

import json
from typing import Any

import pytest

ENTITY = "/catalog/v1/entity/type/sr_subject_version/name/lsrc-1:.:s:1"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *((method, "/catalog/v1/types/businessmetadatadefs") for method in ("GET", "POST", "PUT")),
        *((method, "/catalog/v1/types/businessmetadatadefs/owner") for method in ("GET", "DELETE")),
        *((method, "/catalog/v1/entity/businessmetadata") for method in ("POST", "PUT")),
        ("GET", f"{ENTITY}/businessmetadata"),
        ("DELETE", f"{ENTITY}/businessmetadata/owner"),
        ("GET", ENTITY),
        ("PUT", "/catalog/v1/entity"),
        ("GET", "/catalog/v1/search/basic"),
        ("GET", "/catalog/v1/search/attribute"),
        ("POST", "/catalog/graphql"),
        *((method, "/associations/resources/ns/orders") for method in ("GET", "POST", "DELETE")),
        *((method, "/associations") for method in ("POST", "PUT")),
        ("POST", "/associations:batchGet"),
        ("GET", "/associations/subjects/s"),
        *((method, "/exporters") for method in ("GET", "POST")),
        ("GET", "/exporters/e/status"),
        ("GET", "/dek-registry/v1/policy"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/contexts/eu"])
def test_a_part_that_is_not_kept_is_not_found(ask: Any, method: str, path: str, prefix: str) -> None:
    reply = ask.raw(method, prefix + path, b"[]")
    assert (reply.status, json.loads(reply.body)["error_code"]) == (404, 404)
