"""Manifests from outside: `manifest_check` agrees with the schema on form, and refuses what would betray a key."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ailib_sync.errors import ManifestError
from ailib_sync.registry.check import check, explain, schema
from ailib_sync.registry.json_schema import KEYWORDS, is_json, problems
from ailib_sync.registry.manifest import Manifest

PLAIN: dict[str, Any] = {"id": "acme", "name": "Acme", "dialect": "openai_chat", "base_url": "https://api.acme.example/v1"}
FULL: dict[str, Any] = {
    **PLAIN,
    "base_url": "https://{region}.acme.example/v1",
    "aliases": ["acme-ai"],
    "docs": "https://acme.example/docs",
    "status": "documented",
    "dialects": {"anthropic_messages": {"keeps": ["models"], "headers": {"anthropic-version": "2023-06-01"}, "quirks": []}},
    "paths": {"chat": "/chat?version=1", "stream": "/chat/{model}"},
    "variables": {"region": {"env": ["ACME_REGION"], "default": "eu", "allowed": ["eu", "us-*"], "about": "where"}},
    "auth": {
        "scheme": "header",
        "header": "x-acme-key",
        "prefix": "Key ",
        "env": ["ACME_KEY", "ACME_API_TOKEN"],
        "optional": False,
    },
    "headers": {"x-acme": "1"},
    "body": {"store": False, "where": "{region}", "model": None},
    "parameters": {"max_tokens": "limits.tokens", "seed": None},
    "defaults": {"max_tokens": 100},
    "limits": {"temperature": [0, 1.5], "top_k": [1, None], "stop": 4},
    "reasoning": {"style": "effort", "efforts": ["low", "max"], "off": "none", "budget": [0, None], "no_sampling": True},
    "tool_choice": ["auto"],
    "response_format": ["text", "json"],
    "quirks": ["string_content"],
    "stream_end": ["eof"],
    "finish_reasons": {"fini": "end_turn"},
    "errors": {"codes": {"17": "rate_limited"}, "statuses": {"498": "overloaded"}},
    "request_id": ["x-acme-id"],
    "capabilities": {"tools": True, "vision": None},
    "models": {"a*|b?": {"reasoning": None, "parameters": {"temperature": None}}, "c": {"dialect": "anthropic_messages"}},
}
GONE = object()


def changed(base: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of `base` with the value at a slashed path replaced, or taken out."""
    data = copy.deepcopy(base)
    *parents, last = path.split("/")
    part: Any = data
    for key in parents:
        part = part[int(key)] if isinstance(part, list) else part[key]
    if value is GONE:
        del part[last]
    else:
        part[int(last) if isinstance(part, list) else last] = value
    return data


@pytest.mark.parametrize("data", [PLAIN, FULL, {"extends": "openai", "id": "corp", "base_url": "https://api.openai.com/v1"}])
def test_what_is_right_passes_both(data: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema()).validate(data)
    check(data, "a dict")


WRONG_FORM = [
    ("id", GONE, "id: is missing"),
    ("base_url", GONE, "base_url: is missing"),
    ("id", "Acme", "id: 'Acme'"),
    ("id", "a" * 65, "id:"),
    ("name", "", "name:"),
    ("name", "two\nlines", "name:"),
    ("name", 7, "name: must be text, not 7"),
    ("dialect", "openai-chat", "did you mean openai_chat?"),
    ("dialects/openai_chats", {}, "did you mean openai_chat?"),
    ("base_url", "http://api.acme.example/v1", "base_url:"),
    ("base_url", "https://user:secret@api.acme.example", "base_url:"),
    ("base_url", "https://api.acme.example/v1?key=1", "base_url:"),
    ("base_url", "https://api.acme.example/v1#x", "base_url:"),
    ("base_url", "ftp://api.acme.example", "base_url:"),
    ("base_url", "https://api.acme.example/ v1", "base_url:"),
    ("paths/chat", "chat", "paths.chat:"),
    ("paths/talk", "/talk", "paths.talk: is not a key here; the keys are chat, stream, models"),
    ("paramters", {}, "did you mean parameters?"),
    ("parameters/temprature", None, "did you mean temperature?"),
    ("parameters/seed", 7, "parameters.seed:"),
    ("auth/scheme", "beerer", "did you mean bearer?"),
    ("auth/env", "ACME_KEY", "auth.env: must be a list"),
    ("auth/env/0", "acme key", "auth.env[0]:"),
    ("auth/header", "x acme", "auth.header:"),
    ("auth/optional", "yes", "auth.optional: must be true or false"),
    ("headers/x-acme", "1\u00e9", 'headers."x-acme":'),
    ("headers/x-acme", "1\r\nx-evil: 2", 'headers."x-acme":'),
    ("headers/x acme", "1", "headers"),
    ("limits/temperature", [0], "limits.temperature:"),
    ("limits/stop", -1, "limits.stop:"),
    ("limits/stop", True, "limits.stop:"),
    ("reasoning/efforts/0", "lots", "reasoning.efforts[0]: must be one of minimal"),
    ("reasoning/stile", "effort", "did you mean style?"),
    ("tool_choice/0", "any", "tool_choice[0]:"),
    ("finish_reasons/fini", "stop", "finish_reasons.fini:"),
    ("errors/codes/17", "ratelimited", "did you mean rate_limited?"),
    ("errors/statuses/teapot", "unknown", "errors.statuses.teapot:"),
    ("capabilities/tools", "some", "capabilities.tools: must be true or false or null"),
    ("models/c", {"base_url": "https://x.example"}, "models.c.base_url: is not a key here"),
    ("models/c/dialect", "latin", "models.c.dialect:"),
    ("variables/region/env", ["A"] * 6, "variables.region.env: must hold at most 5"),
    ("variables/Region", {}, "variables.Region:"),
    ("retired", {"since": "last year", "use": "x"}, "retired.since:"),
    ("stream_end", ["never"], "stream_end[0]:"),
    ("quirks", [1], "quirks[0]:"),
]


@pytest.mark.parametrize(
    ("path", "value", "told"), WRONG_FORM, ids=[f"{path}-{number}" for number, (path, _, _) in enumerate(WRONG_FORM)]
)
def test_what_is_wrong_in_form_fails_both_and_is_told_with_its_place(path: str, value: Any, told: str) -> None:
    data = changed(FULL, path, value)
    assert not jsonschema.Draft202012Validator(schema()).is_valid(data)
    with pytest.raises(ManifestError) as caught:
        Manifest.from_dict(data, source="acme.json")
    assert str(caught.value).startswith("acme.json: ")
    assert told in str(caught.value)


@pytest.mark.parametrize("tail", ["\n", "\r", "\u2028"])
def test_a_line_break_at_the_end_is_no_way_into_a_header(tail: str) -> None:
    assert explain(changed(FULL, "headers/x-acme", "1" + tail), "x")


WRONG_IN_TRUST = [
    ("base_url", "https://{zone}.acme.example", "base_url: {zone} is not among the variables"),
    ("base_url", "https://{model}.acme.example", "base_url: {model} may stand in paths only"),
    ("paths/chat", "/{regoin}/chat", "did you mean region?"),
    ("quirks/0", "string_contents", "did you mean string_content?"),
    ("models/c/dialect", "cohere_chat", "models.c.dialect: cohere_chat is not among the dialects"),
    ("dialects/openai_chat", {}, "dialects.openai_chat: is the manifest's own dialect"),
    ("headers/Authorization", "Bearer x", "headers.Authorization: may not be set"),
    ("headers/Host", "x", "headers.Host: may not be set"),
    ("auth/env/0", "ACME", "auth.env[0]: ACME may not be read"),
    ("auth/env/0", "HOME", "auth.env[0]: HOME may not be read"),
    ("auth/env/0", "AWS_SECRET_ACCESS_KEY", "auth.env[0]: AWS_SECRET_ACCESS_KEY may not be read"),
    ("auth/env/0", "GITHUB_TOKEN", "auth.env[0]: GITHUB_TOKEN may not be read"),
    ("auth/env/0", "SECRET_KEY", "auth.env[0]: SECRET_KEY may not be read"),
    ("auth/env/0", "OPENAI_API_KEY", "OPENAI_API_KEY belongs to api.openai.com"),
    ("auth/env/0", "DATABRICKS_TOKEN", "DATABRICKS_TOKEN belongs to"),
    ("auth/env/0", "AWS_BEARER_TOKEN_BEDROCK", "belongs to"),
    (
        "dialects/anthropic_messages/auth",
        {"env": ["ANTHROPIC_API_KEY"]},
        "dialects.anthropic_messages.auth.env[0]: ANTHROPIC_API_KEY",
    ),
    ("variables/region/env/0", "ACME_SECRET", "variables.region.env[0]: ACME_SECRET may hold a secret"),
    ("variables/region/env/0", "OPENAI_API_KEY", "variables.region.env[0]: OPENAI_API_KEY may hold a secret"),
    ("variables/region/env/0", "HOME", "variables.region.env[0]: HOME may hold a secret"),
    (
        "id",
        "openai",
        "id: 'openai' makes OPENAI_API_KEY its key, which belongs to api.openai.com and may not be sent to *.acme",
    ),
    ("id", "dashscope", "makes DASHSCOPE_API_KEY its key"),
    ("id", "stripe", "makes STRIPE_API_KEY its key, which is another service's"),
]


@pytest.mark.parametrize(
    ("path", "value", "told"), WRONG_IN_TRUST, ids=[f"{path}-{number}" for number, (path, _, _) in enumerate(WRONG_IN_TRUST)]
)
def test_what_no_schema_can_say_is_refused_too(path: str, value: Any, told: str) -> None:
    data = changed(FULL, path, value)
    jsonschema.Draft202012Validator(schema()).validate(data)
    with pytest.raises(ManifestError) as caught:
        check(data, "acme.json")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        {**PLAIN, "auth": {"scheme": "bearer", "env": ["OPENAI_API_KEY"]}, "base_url": "https://api.openai.com/v2"},
        {**PLAIN, "auth": {"scheme": "bearer", "env": ["OPENAI_API_KEY"]}, "base_url": "http://localhost:9000/v1"},
        {**PLAIN, "id": "openai", "auth": {"scheme": "none"}},
        {"extends": "azure", "id": "corp", "variables": {"resource": {"default": "corp-eu"}}},
        {"extends": "bedrock", "id": "corp", "variables": {"region": {"default": "eu-central-1"}}},
        {"extends": "openai-compatible", "id": "corp", "base_url": "https://llm.corp.example/v1"},
        {"extends": "vllm", "id": "corp", "base_url": "https://llm.corp.example/v1"},
    ],
    ids=lambda data: data.get("extends") or data["base_url"],
)
def test_a_key_may_go_where_it_belongs(data: dict[str, Any]) -> None:
    assert explain({"name": "Corp", **data}, "a dict") == []


def test_a_copy_of_a_provider_may_not_lead_its_key_elsewhere() -> None:
    found = explain({"extends": "anthropic", "id": "corp", "name": "Corp", "base_url": "https://evil.example"}, "x")
    assert len(found) == 1
    assert "ANTHROPIC_API_KEY belongs to api.anthropic.com and may not be sent to evil.example" in found[0]


def test_a_second_format_may_not_lead_a_key_elsewhere() -> None:
    spoken = {"openai_responses": {"base_url": "https://evil.example/v1"}}
    found = explain({"extends": "openai", "id": "corp", "name": "Corp", "dialects": spoken}, "x")
    assert any("may not be sent to evil.example" in problem for problem in found)


def test_all_problems_are_told_at_once_and_the_first_is_raised() -> None:
    data = changed(changed(FULL, "limits/stop", "4"), "auth/scheme", "beerer")
    assert len(explain(data, "acme.json")) == 2
    with pytest.raises(ManifestError, match=r"and 1 more: `python -m ailib_sync manifest check`"):
        check(data, "acme.json")


def test_an_unknown_parent_is_told_with_the_nearest() -> None:
    assert "did you mean openai" in explain({"extends": "openia", "id": "x", "name": "X"}, "f.json")[0]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), "nan, which is not JSON"),
        (float("inf"), "inf, which is not JSON"),
        ((1, 2), "tuple"),
        (b"x", "bytes"),
        ({1: 2}, "a key that is not text"),
        ([0] * 30_000, "more than 20000 values"),
    ],
)
def test_what_is_not_json_of_sensible_size_is_refused(value: Any, told: str) -> None:
    assert told in explain({**PLAIN, "body": {"x": value}}, "x")[0]


def test_endless_nesting_is_refused_and_not_walked() -> None:
    endless: dict[str, Any] = {}
    endless["x"] = endless
    assert "nested deeper" in explain({**PLAIN, "body": endless}, "x")[0]
    assert is_json(["a", 1, 1.5, None, True, {}]) is None


@pytest.mark.parametrize("data", [None, [], "openai", 7])
def test_only_an_object_is_a_manifest(data: Any) -> None:
    assert "must be a JSON object" in explain(data, "x")[0]


def test_a_file_is_named_in_what_is_wrong_with_it(tmp_path: Any) -> None:
    path = tmp_path / "acme.json"
    path.write_text(json.dumps({**PLAIN, "modles": {}}))
    with pytest.raises(ManifestError, match=r"acme\.json: modles: is not a key here; did you mean models\?"):
        Manifest.from_path(path)
    path.write_text('{"id": NaN}')
    with pytest.raises(ManifestError, match="NaN is not JSON"):
        Manifest.from_path(path)


def test_the_schema_uses_only_keywords_that_are_read() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    unread = [keyword for keyword in keywords_of(schema()) if keyword not in KEYWORDS]
    assert unread == []
    with pytest.raises(KeyError):
        list(problems(1, {"maximum": 0}))


def keywords_of(part: Any) -> list[str]:
    if not isinstance(part, dict):
        return []
    found = list(part)
    for key in ("properties", "$defs"):
        for under in part.get(key, {}).values():
            found += keywords_of(under)
    for key in ("items", "additionalProperties", "propertyNames"):
        found += keywords_of(part.get(key))
    for under in part.get("anyOf", ()):
        found += keywords_of(under)
    return found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 999) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: str = "") -> list[str]:
    under = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    found = []
    for key, inner in under:
        if "/" not in str(key):
            here = f"{path}/{key}" if path else str(key)
            found += [here, *places(inner, here)]
    return found


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(places(FULL)), JSON)
def test_form_is_judged_as_json_schema_judges_it(path: str, value: Any) -> None:
    """Any value in any place: our reading of the schema and jsonschema's agree.

    Text that ends in a line feed is left out: jsonschema takes `$` in Python's way, which lets one through.
    """
    if "\\n" in json.dumps(value):
        return
    data = changed(FULL, path, value)
    ours = not list(problems(data, schema()))
    assert ours is jsonschema.Draft202012Validator(schema()).is_valid(data)
