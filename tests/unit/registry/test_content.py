"""The content hash against Confluent's golden values (schema-registry, SchemaMD5RegressionTest; facts only)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protopact.errors import RegistryError
from protopact.registry import Metadata, Reference, Rule, RuleSet, content_guid

SCHEMA = (
    'syntax = "proto3";\npackage io.confluent.kafka.example;\nimport "google/protobuf/timestamp.proto";\n'
    "message Person {\n  string name = 1;\n  int32 age = 2;\n  string ssn = 3;\n  User user = 4;\n"
    "  Address address = 5;\n}\nmessage User {\n  string id = 1;\n  string email = 2;\n}\n"
    "message Address {\n  string street = 1;\n  string city = 2;\n  string zip = 3;\n}"
)
REFERENCES = (
    Reference("io.confluent.kafka.example.User", "User", 1),
    Reference("io.confluent.kafka.example.Address", "Address", 2),
)
METADATA = Metadata(
    tags={"team": ("data-engineering",), "environment": ("staging", "production")},
    properties={"version": "1.0.0", "owner": "data-team", "description": "Person schema for user management"},
    sensitive=("ssn", "credit-card"),
)
BASE = Rule(name="", tags=("PERSON",), on_success="none", on_failure="error")
RULES = RuleSet(
    migration_rules=(
        replace(
            BASE,
            name="upgrade-rule-1",
            doc="Upgrade rule for field changes",
            mode="UPGRADE",
            type="FIELD_UPDATE",
            params={"field": "name"},
            expr="field.name = field.name.toUpperCase()",
        ),
        replace(
            BASE,
            name="downgrade-rule-1",
            doc="Downgrade rule for compatibility",
            mode="DOWNGRADE",
            type="FIELD_DELETE",
            params={"field": "ssn"},
            expr="delete field.ssn",
        ),
    ),
    domain_rules=(
        replace(
            BASE,
            name="validation-rule-1",
            doc="Validate age field",
            kind="CONDITION",
            mode="WRITE",
            type="FIELD_VALIDATION",
            params={"field": "age"},
            expr="field.age >= 0 && field.age <= 150",
        ),
        replace(
            BASE,
            name="masking-rule-1",
            doc="Mask sensitive data on read",
            mode="READ",
            type="DATA_MASKING",
            params={"field": "ssn"},
            expr="field.ssn = '***-**-****'",
        ),
    ),
)
GOLDEN = {
    "000": "fd291f54-9ebf-6b66-69c4-d7c94f57d765",
    "001": "e0a5944a-07ec-f8b3-2e65-d618095d9b93",
    "010": "56052a3d-b48e-0af1-2f4e-fb4fc5defed4",
    "011": "89665e7a-68a3-0750-503e-cab9c5ab6494",
    "100": "2acee2f0-10ab-9e39-ff5e-a3c6301a16fc",
    "101": "ca144a0b-d04f-9cdf-5576-bc3e0872c2ec",
    "110": "1b1cd912-56b3-5aec-ed5e-628e4f8d6b99",
    "111": "6e27c5d9-341f-eedd-8d14-8e32f414f50e",
}


@pytest.mark.parametrize(("parts", "guid"), GOLDEN.items())
def test_the_guid_of_a_content_is_confluents(parts: str, guid: str) -> None:
    with_references, with_metadata, with_rules = (part == "1" for part in parts)

    found = content_guid(
        SCHEMA,
        REFERENCES if with_references else (),
        METADATA if with_metadata else None,
        RULES if with_rules else None,
    )

    assert found == guid


def test_empty_metadata_counts_as_content_and_absent_metadata_does_not() -> None:
    assert content_guid("x", metadata=Metadata()) != content_guid("x")
    assert content_guid("x", metadata=Metadata()) == content_guid("x", rule_set=RuleSet())


def test_the_guid_hears_the_order_of_references_and_a_disabled_rule() -> None:
    assert content_guid("x", REFERENCES) != content_guid("x", REFERENCES[::-1])
    assert content_guid("x", rule_set=RuleSet(domain_rules=(BASE,))) != content_guid(
        "x", rule_set=RuleSet(domain_rules=(replace(BASE, disabled=True),))
    )


def test_property_names_are_sorted_by_utf16_units_as_java_does() -> None:
    # U+10000 is the surrogate pair D800 DC00 and so comes before U+E000 in UTF-16, behind it by code points.
    one = content_guid("", metadata=Metadata(properties={"\U00010000": "a", "\ue000": "b"}))

    assert one == content_guid("\x01\U00010000a\ue000b")


def test_a_text_that_is_no_unicode_has_no_guid() -> None:
    with pytest.raises(RegistryError, match="surrogate"):
        content_guid("\ud800")
