"""JSON Schemas in the form that strict tools and response formats require, compared with the double's own check."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ailib_sync import AiClient, Message, Tool
from ailib_sync.dialects.dialect import NAMES, find
from ailib_sync.dialects.strict_schema import closed_form, strict_form
from ailib_sync.embedded.services.strict_schema import has_open_object, violation
from ailib_sync.types.request import ChatRequest, Ledger
from tests.properties.promises import plain

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


LIMITED = {
    "type": "object",
    "properties": {
        "pop": {"type": "integer", "minimum": 0, "description": "people"},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}, "minItems": 1, "maxItems": 2},
    },
    "required": ["pop"],
}


@pytest.mark.parametrize("model", ["anthropic/claude-sonnet-4-5", "bedrock/us.anthropic.claude-sonnet-4-5"])
def test_limits_of_values_are_in_the_descriptions_where_the_service_has_none(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    tool = Tool("f", parameters=LIMITED, strict=True)
    shown = AiClient(model, api_key="k").chat().user("x").tools(tool).response_format(LIMITED).explain()
    if model.startswith("bedrock"):
        schema = json.loads(shown.body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"])
        assert shown.body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"] == schema
    else:
        schema = shown.body["output_config"]["format"]["schema"]
        assert shown.body["tools"][0]["input_schema"] == schema
    assert schema == {
        "type": "object",
        "properties": {
            "pop": {"type": "integer", "description": "people\n\n{minimum: 0}"},
            "tags": {
                "type": "array", "minItems": 1, "description": "{maxItems: 2}",
                "items": {"type": "string", "description": "{maxLength: 3}"},
            },
        },
        "required": ["pop"],
        "additionalProperties": False,
    }  # fmt: skip
    assert {entry.option for entry in shown.ledger if entry.action == "changed"} == {"tool f", "response_format"}


def test_a_format_of_any_object_is_left_out_where_the_service_has_none() -> None:
    shown = AiClient("anthropic/claude-sonnet-4-5", api_key="k").chat().user("x").response_format({"type": "object"}).explain()
    assert "output_config" not in shown.body
    assert shown.ledger[-1].action == "dropped"


@pytest.mark.parametrize("model", ["openai/gpt-4o", "deepseek/deepseek-chat", "openai/gpt-4o?dialect=openai_responses"])
def test_json_mode_adds_the_word_that_the_service_requires(model: str) -> None:
    chat = AiClient(model, api_key="k").chat().response_format("json")
    shown = chat.user("Describe Rome").explain()
    first = shown.body["messages" if "messages" in shown.body else "input"][0]
    assert first["content"] == "Respond with a JSON object."
    assert [entry.option for entry in shown.ledger if entry.action == "changed"] == ["response_format"]
    for spoken in (chat.user("Describe Rome as JSON"), chat.system("Use json.").user("Rome"), chat.user(["Rome", "in JSON"])):
        shown = spoken.explain()
        assert "Respond with" not in str(shown.body)
        assert [entry.option for entry in shown.ledger if entry.action == "changed"] == []


def test_a_schema_that_names_no_type_is_that_of_an_object() -> None:
    tool = Tool("f", parameters={"properties": {"a": {"type": "string"}}})
    for name in NAMES:
        body = find(name).chat.render(ChatRequest("m", (Message.user("x"),), (tool,)), plain(name), Ledger())
        assert '{"type": "object", "properties": {"a":' in json.dumps(body), name
