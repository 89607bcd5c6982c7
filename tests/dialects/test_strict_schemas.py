"""JSON Schemas in the form that strict tools and response formats require, compared with the double's own check."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync import AiClient, Tool
from ailib_sync.dialects.strict_schema import closed_form, strict_form
from ailib_sync.embedded.services.strict_schema import has_open_object, violation

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "Ann"},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "home": {"$ref": "#/$defs/Home", "description": "where"},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "both": {"type": ["integer", "string"]},
        "fixed": {"const": 1},
    },
    "required": ["name"],
    "$defs": {"Home": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


def test_every_property_is_required_and_an_optional_one_may_be_null() -> None:
    made = strict_form(PERSON)
    assert made is not None
    assert made["required"] == list(PERSON["properties"])
    assert made["properties"] == {
        "name": {"type": "string"},
        "kind": {"type": ["string", "null"], "enum": ["a", "b", None]},
        "home": {"anyOf": [{"$ref": "#/$defs/Home"}, {"type": "null"}]},
        "tags": {"type": ["array", "null"], "items": {"type": "string"}},
        "either": {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]},
        "both": {"type": ["integer", "string", "null"]},
        "fixed": {"anyOf": [{"const": 1}, {"type": "null"}]},
    }
    assert violation(made) is None
    assert strict_form(made) == made
    assert "default" in PERSON["properties"]["name"]  # type: ignore[index]  # the caller's schema is not changed


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "additionalProperties": True},
        {"type": "object", "properties": {}, "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"type": "object"}}},
        {"type": "object", "properties": {"a": {"prefixItems": []}}},
        {"allOf": [{"type": "string"}]},
    ],
)
def test_a_schema_of_any_content_has_no_strict_form(schema: Any) -> None:
    assert strict_form(schema) is None
    shown = AiClient("openai/gpt-4o", api_key="k").chat().user("x").response_format(schema).explain()
    assert shown.body["response_format"]["json_schema"]["strict"] is False
    assert shown.body["response_format"]["json_schema"]["schema"] == schema
    assert [entry.action for entry in shown.ledger if entry.option == "response_format"][-1] == "changed"


LEAVES = st.sampled_from([{"type": "string"}, {"type": "integer", "default": 1}, {"enum": [1, 2]}, {"$ref": "#", "title": "x"}])
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(
            lambda properties, required: {
                "type": "object", "properties": properties, "required": [name for name in required if name in properties],
            },
            st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            st.lists(st.sampled_from("abc"), unique=True),
        ),
        st.builds(lambda items: {"type": "array", "items": items, "uniqueItems": True}, inner),
        st.builds(lambda one, two: {"anyOf": [one, two]}, inner, inner),
    ),
    max_leaves=8,
)  # fmt: skip


@given(SCHEMAS)
def test_the_double_accepts_every_strict_form(schema: Any) -> None:
    made, closed = strict_form(schema), closed_form(schema)
    assert made is not None
    assert violation(made) is None
    assert closed is not None
    assert not has_open_object(closed)


def test_an_adapted_tool_is_in_the_ledger_and_a_closed_one_is_not() -> None:
    client = AiClient("openai/gpt-4o", api_key="k")
    closed = Tool("f", parameters={"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, strict=True)
    optional = Tool("g", parameters={"type": "object", "properties": {"a": {"type": "string"}}}, strict=True)
    shown = client.chat().user("x").tools(closed, optional).explain()
    assert [entry.option for entry in shown.ledger if entry.action == "changed"] == ["tool g"]
    sent = [tool["function"] for tool in shown.body["tools"]]
    assert all(violation(function["parameters"]) is None and function["strict"] for function in sent)
    # A host that does not check the schema gets it as it is.
    other = AiClient("xai/grok-4", api_key="k").chat().user("x").tools(optional).explain()
    assert other.body["tools"][0]["function"]["parameters"] == optional.parameters
