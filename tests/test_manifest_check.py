"""Checks of users' manifests: the form, as in the schema, and protection of keys."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ailib_sync.errors import ManifestError
from ailib_sync.registry.check import check, find_problems, schema
from ailib_sync.registry.json_schema import KEYWORDS, json_problem, problems
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
REMOVED = object()


def changed(base: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of `base` with the value at a path (`a/b/0`) replaced or removed."""
    data = copy.deepcopy(base)
    *parents, last = path.split("/")
    part: Any = data
    for key in parents:
        part = part[int(key)] if isinstance(part, list) else part[key]
    if value is REMOVED:
        del part[last]
    else:
        part[int(last) if isinstance(part, list) else last] = value
    return data


@pytest.mark.parametrize("data", [PLAIN, FULL, {"extends": "openai", "id": "corp", "base_url": "https://api.openai.com/v1"}])
def test_valid_manifests_pass(data: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema()).validate(data)
    check(data, "a dict")


INVALID_FORM = [
    ("id", REMOVED, "id: is missing"),
    ("base_url", REMOVED, "base_url: is missing"),
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
    ("paths/talk", "/talk", "paths.talk: is not an allowed key; the keys are chat, stream, models"),
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
    ("models/c", {"base_url": "https://x.example"}, "models.c.base_url: is not an allowed key"),
    ("models/c/dialect", "latin", "models.c.dialect:"),
    ("variables/region/env", ["A"] * 6, "variables.region.env: must have at most 5"),
    ("variables/Region", {}, "variables.Region:"),
    ("retired", {"since": "last year", "use": "x"}, "retired.since:"),
    ("stream_end", ["never"], "stream_end[0]:"),
    ("quirks", [1], "quirks[0]:"),
]


@pytest.mark.parametrize(
    ("path", "value", "message"), INVALID_FORM, ids=[f"{path}-{number}" for number, (path, _, _) in enumerate(INVALID_FORM)]
)
def test_an_invalid_form_is_reported_with_its_path(path: str, value: Any, message: str) -> None:
    data = changed(FULL, path, value)
    assert not jsonschema.Draft202012Validator(schema()).is_valid(data)
    with pytest.raises(ManifestError) as caught:
        Manifest.from_dict(data, source="acme.json")
    assert str(caught.value).startswith("acme.json: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("tail", ["\n", "\r", "\u2028"])
def test_a_header_value_cannot_end_with_a_line_break(tail: str) -> None:
    assert find_problems(changed(FULL, "headers/x-acme", "1" + tail), "x")


UNSAFE = [
    ("base_url", "https://{zone}.acme.example", "base_url: {zone} is not a variable"),
    ("base_url", "https://{model}.acme.example", "base_url: {model} is only allowed in paths"),
    ("paths/chat", "/{regoin}/chat", "did you mean region?"),
    ("quirks/0", "string_contents", "did you mean string_content?"),
    ("models/c/dialect", "cohere_chat", "models.c.dialect: cohere_chat is not a dialect of"),
    ("dialects/openai_chat", {}, "dialects.openai_chat: is the main dialect"),
    ("headers/Authorization", "Bearer x", "headers.Authorization: a manifest must not set"),
    ("headers/Host", "x", "headers.Host: a manifest must not set"),
    ("auth/env/0", "ACME", "auth.env[0]: ACME must not be read"),
    ("auth/env/0", "HOME", "auth.env[0]: HOME must not be read"),
    ("auth/env/0", "AWS_SECRET_ACCESS_KEY", "auth.env[0]: AWS_SECRET_ACCESS_KEY must not be read"),
    ("auth/env/0", "GITHUB_TOKEN", "auth.env[0]: GITHUB_TOKEN must not be read"),
    ("auth/env/0", "SECRET_KEY", "auth.env[0]: SECRET_KEY must not be read"),
    ("auth/env/0", "OPENAI_API_KEY", "OPENAI_API_KEY belongs to api.openai.com"),
    ("auth/env/0", "DATABRICKS_TOKEN", "DATABRICKS_TOKEN belongs to"),
    ("auth/env/0", "AWS_BEARER_TOKEN_BEDROCK", "belongs to"),
    (
        "dialects/anthropic_messages/auth",
        {"env": ["ANTHROPIC_API_KEY"]},
        "dialects.anthropic_messages.auth.env[0]: ANTHROPIC_API_KEY",
    ),
    ("variables/region/env/0", "ACME_SECRET", "variables.region.env[0]: ACME_SECRET may contain a secret"),
    ("variables/region/env/0", "OPENAI_API_KEY", "variables.region.env[0]: OPENAI_API_KEY may contain a secret"),
    ("variables/region/env/0", "HOME", "variables.region.env[0]: HOME may contain a secret"),
    (
        "id",
        "openai",
        "id: 'openai' reads its key from OPENAI_API_KEY, which belongs to api.openai.com and must not be sent to *.acme",
    ),
    ("id", "dashscope", "reads its key from DASHSCOPE_API_KEY"),
    ("id", "stripe", "reads its key from STRIPE_API_KEY, which belongs to another service"),
]


@pytest.mark.parametrize(
    ("path", "value", "message"), UNSAFE, ids=[f"{path}-{number}" for number, (path, _, _) in enumerate(UNSAFE)]
)
def test_rules_beyond_the_schema_are_checked(path: str, value: Any, message: str) -> None:
    data = changed(FULL, path, value)
    jsonschema.Draft202012Validator(schema()).validate(data)
    with pytest.raises(ManifestError) as caught:
        check(data, "acme.json")
    assert message in str(caught.value)


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
def test_a_key_may_be_sent_to_its_own_hosts(data: dict[str, Any]) -> None:
    assert find_problems({"name": "Corp", **data}, "a dict") == []


def test_a_copied_manifest_cannot_send_its_key_to_another_host() -> None:
    found = find_problems({"extends": "anthropic", "id": "corp", "name": "Corp", "base_url": "https://evil.example"}, "x")
    assert len(found) == 1
    assert "ANTHROPIC_API_KEY belongs to api.anthropic.com and must not be sent to evil.example" in found[0]


def test_a_second_dialect_cannot_send_a_key_to_another_host() -> None:
    dialects = {"openai_responses": {"base_url": "https://evil.example/v1"}}
    found = find_problems({"extends": "openai", "id": "corp", "name": "Corp", "dialects": dialects}, "x")
    assert any("must not be sent to evil.example" in problem for problem in found)


def test_all_problems_are_found_and_the_first_is_raised() -> None:
    data = changed(changed(FULL, "limits/stop", "4"), "auth/scheme", "beerer")
    assert len(find_problems(data, "acme.json")) == 2
    with pytest.raises(ManifestError, match=r"and 1 more: `python -m ailib_sync manifest check`"):
        check(data, "acme.json")


def test_an_unknown_parent_is_reported_with_a_suggestion() -> None:
    assert "did you mean openai" in find_problems({"extends": "openia", "id": "x", "name": "X"}, "f.json")[0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "nan, which is not JSON"),
        (float("inf"), "inf, which is not JSON"),
        ((1, 2), "tuple"),
        (b"x", "bytes"),
        ({1: 2}, "a key that is not text"),
        ([0] * 30_000, "more than 20000 values"),
    ],
)
def test_a_value_that_is_not_json_of_a_sensible_size_is_rejected(value: Any, message: str) -> None:
    assert message in find_problems({**PLAIN, "body": {"x": value}}, "x")[0]


def test_a_recursive_value_is_rejected() -> None:
    endless: dict[str, Any] = {}
    endless["x"] = endless
    assert "nested deeper" in find_problems({**PLAIN, "body": endless}, "x")[0]
    assert json_problem(["a", 1, 1.5, None, True, {}]) is None


@pytest.mark.parametrize("data", [None, [], "openai", 7])
def test_only_an_object_is_a_manifest(data: Any) -> None:
    assert "must be a JSON object" in find_problems(data, "x")[0]


def test_problems_of_a_file_contain_its_path(tmp_path: Any) -> None:
    path = tmp_path / "acme.json"
    path.write_text(json.dumps({**PLAIN, "modles": {}}))
    with pytest.raises(ManifestError, match=r"acme\.json: modles: is not an allowed key; did you mean models\?"):
        Manifest.from_path(path)
    path.write_text('{"id": NaN}')
    with pytest.raises(ManifestError, match="NaN is not JSON"):
        Manifest.from_path(path)


def test_the_schema_uses_only_supported_keywords() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    unsupported = [keyword for keyword in keywords_of(schema()) if keyword not in KEYWORDS]
    assert unsupported == []
    with pytest.raises(KeyError):
        list(problems(1, {"maximum": 0}))


def keywords_of(part: Any) -> list[str]:
    if not isinstance(part, dict):
        return []
    found = list(part)
    for key in ("properties", "$defs"):
        for child in part.get(key, {}).values():
            found += keywords_of(child)
    for key in ("items", "additionalProperties", "propertyNames"):
        found += keywords_of(part.get(key))
    for alternative in part.get("anyOf", ()):
        found += keywords_of(alternative)
    return found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 999) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def paths_in(value: Any, path: str = "") -> list[str]:
    children = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    found = []
    for key, inner in children:
        if "/" not in str(key):
            here = f"{path}/{key}" if path else str(key)
            found += [here, *paths_in(inner, here)]
    return found


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.sampled_from(paths_in(FULL)), JSON)
def test_validation_agrees_with_jsonschema(path: str, value: Any) -> None:
    """Any value at any path: this validator and jsonschema agree.

    Text that ends with a line feed is excluded: jsonschema uses Python's `$`, which matches before it.
    """
    if "\\n" in json.dumps(value):
        return
    data = changed(FULL, path, value)
    ours = not list(problems(data, schema()))
    assert ours is jsonschema.Draft202012Validator(schema()).is_valid(data)
