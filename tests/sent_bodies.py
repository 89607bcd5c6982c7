"""Every chat body that the tests render is checked as the real service checks it. A test whose body is rejected fails.

The checks are those of the embedded services, which are written independently of the dialects. `extra` is the caller's own, so
its fields are not checked. Tests that render an invalid body on purpose are in `INVALID_ON_PURPOSE`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ailib_sync.dialects.dialect import NAMES, find, path_of
from ailib_sync.embedded.exchange import Rejected, ServerRequest
from ailib_sync.embedded.json_checks import Invalid
from ailib_sync.embedded.rules import rules_of
from ailib_sync.embedded.service import service_of
from ailib_sync.registry.manifest import Manifest
from ailib_sync.types.request import ChatRequest, Ledger

#: Longer requests are those of tests of speed and memory.
MAX_MESSAGES = 50


#: Many tests render a part of a conversation, and invent signatures. Services reject both, whatever a dialect does.
OF_THE_CONVERSATION = (
    "comes immediately after a",
    "the last message must be",
    "must end with a user message",
    "first message must use",
    "exceeds the number of toolUse",
    "Expected toolResult blocks",
    "must start with a user message",
    "No tool output found",
    "unexpected `tool_use_id`",
    "without `tool_result` blocks",
    "missing tool result for",
    "function response parts is equal to the number",
    "short at messages: expected 1",
    "contents is not specified",
    "must be a response to a preceeding",
    "must be followed by tool messages",
    "not found in previous tool calls",
    "could not be verified",
    "Thought signature is not valid",
    "Invalid `signature`",
)
#: Parts of node ids.
INVALID_ON_PURPOSE: tuple[str, ...] = (
    # Any values, also those that are wrong everywhere; and damaged responses, which no service produces.
    "properties/test_requests.py::test_any_request_is_json",
    "properties/test_responses.py::test_a_damaged_",
    "properties/test_responses.py::test_any_json_and_any_bytes",
    "properties/test_responses.py::test_no_depth_breaks",
    "test_anthropic_responses.py::test_damaged_responses",
    "fuzz/test_regressions.py",
    # The caller's own field, or a model that supports no other, is rejected by the service.
    "test_tools_while_thinking.py::test_the_callers_own_field",
    # An invented field, block or part shows that it is sent unchanged.
    "test_anthropic_messages.py::test_what_the_service_wrote_goes_back",
    "test_anthropic_messages.py::test_rendering_leaves_the_messages",
    "test_bedrock_converse.py::test_what_is_opaque",
    "test_bedrock_converse.py::test_strict_tools_and_what_else",
    "test_corners.py::test_a_block_of_the_same_provider",
    "test_gemini_generate.py::test_signatures_are_sent_back_on_their_own_parts",
    "test_ollama_chat.py::test_fields_of_another_dialect",
    "test_openai_chat.py::test_each_block_becomes_a_part",
    "test_openai_chat.py::test_extra_of_the_caller",
    "test_openai_chat_responses.py::test_unknown_parts_are_kept",
    "test_openai_responses.py::test_user_parts",
    # An invented manifest, name or URL.
    "test_corners.py::test_a_model_that_thinks_keeps_the_one_temperature",
    "test_gemini_generate.py::test_thinking_is_a_budget_or_a_level[rules15",
    "test_openai_chat.py::test_merging_keeps_parts",
    "test_replayed_responses.py::test_the_name_of_a_declared_tool_stays",
    "test_callers.py::test_no_picture_is_fetched",
    # A field that AI-Protocol has, and the provider has not.
    "test_ai_protocol.py::test_compliance_case_passes[basic-messages-3-msg-004]",
    "test_ai_protocol.py::test_cases_fail_when",
    # Recorded requests: rejected by the service too; with a stored prompt instead of input; with a field that the host ignores.
    "[openai.openai-responses.n.2b37a3954c61]",
    "[openai.openai-responses.n.d65d072d27ac]",
    "[deepseek.openai-chat.s.3912ec1be4d1]",
    "[ollama.openai-chat.s.da890812a58e]",
    # An empty message of the caller.
    "test_cohere_chat.py::test_an_empty_user_message",
)


def is_invalid_on_purpose(nodeid: str) -> bool:
    return any(part in nodeid for part in INVALID_ON_PURPOSE)


class _Variables(dict[str, str]):
    """Any variable of a manifest's constants."""

    def __missing__(self, name: str) -> str:
        return "x"


def rejection(body: dict[str, Any], request: ChatRequest, manifest: Manifest) -> str | None:
    """Why the service rejects this body; None if it accepts it. `manifest` is resolved for the model."""
    try:
        sent = json.loads(json.dumps(body, allow_nan=False))
    except (TypeError, ValueError):
        return None  # it is not sent
    for key in request.extra:
        if key != "model" and (key, manifest.dialect) != ("max_tokens", "anthropic_messages"):  # both are required
            sent.pop(key, None)
    manifest.add_constants(sent, _Variables(model=request.model))
    rules = rules_of(manifest, request.model)
    if rules.model_outside_body is not None:
        sent.setdefault("model", rules.model_outside_body)
    if sent.get("model") == "":
        sent["model"] = "a-model"  # a recorded request that has its model in the URL
    path = path_of(find(manifest.dialect).chat, manifest, stream=request.stream).replace("{model}", request.model)
    headers = {name.lower(): value for name, value in {**manifest.headers, **request.headers}.items()}
    headers.setdefault("anthropic-version", "2023-06-01")
    received = ServerRequest("POST", path, headers=headers, body=b"")
    try:
        service_of(manifest.dialect).operations["chat"].check(received, sent, rules)
    except (Invalid, Rejected) as error:
        if any(phrase in str(error) for phrase in OF_THE_CONVERSATION):
            return None
        return f"{manifest.id} ({manifest.dialect}): {error}"
    return None


class SentBodies:
    """The rejections of the bodies that are rendered while a test runs."""

    def __init__(self) -> None:
        self.rejections: list[str] = []
        self.is_on = False

    def watch(self) -> None:
        """Replaces the render function of each dialect by one that also checks."""
        for name in NAMES:
            chat = find(name).chat
            object.__setattr__(chat, "render", self._checked(chat.render))

    def _checked(self, render: Callable[[Any, Manifest, Ledger], Any]) -> Callable[[Any, Manifest, Ledger], Any]:
        def checked(request: Any, manifest: Manifest, ledger: Ledger) -> Any:
            body = render(request, manifest, ledger)
            if self.is_on and len(request.messages) <= MAX_MESSAGES and len(self.rejections) < 3:
                wrong = rejection(body, request, manifest)
                if wrong is not None:
                    self.rejections.append(f"{wrong}\n{json.dumps(body)[:600]}")
            return body

        return checked

    @contextmanager
    def during_test(self) -> Iterator[None]:
        """Raises AssertionError at the end of a test whose bodies are rejected."""
        self.rejections.clear()
        self.is_on = True
        try:
            yield
        finally:
            self.is_on = False
        assert not self.rejections, "a service rejects what this test renders:\n" + "\n".join(self.rejections)
