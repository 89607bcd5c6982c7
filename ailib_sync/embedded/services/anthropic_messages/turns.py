"""What Anthropic's Messages API rejects in a conversation: roles, blocks, and where the result of a call is."""

from __future__ import annotations

from re import compile

from ...echo import signature_of
from ...exchange import Rejected
from ...json_checks import Invalid, dotted
from ...media import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...exchange import Rules

#: The last families whose conversations may end with an assistant message.
PREFILL_MODELS = compile(r"claude-(?:2|3|instant).*|claude-(?:opus|sonnet|haiku)-4(?:-[015])?(?:-\d{8})?")


def blocks_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The content as blocks: a string is one text block."""
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def check_turns(body: dict[str, Any], rules: Rules) -> None:
    """Raises Rejected for the first message or block that the service rejects."""
    messages = body["messages"]
    for index, message in enumerate(messages):
        is_last = index == len(messages) - 1
        if message["role"] == "system" and not rules.mid_conversation_system:
            raise Rejected(
                f'messages.{index}: Unexpected role "system". The Messages API accepts a top-level `system` parameter, '
                'not "system" as an input message role.'
            )
        if not message["content"] and not (is_last and message["role"] == "assistant"):
            raise Rejected(
                f"messages.{index}: all messages must have non-empty content except for the optional final assistant message"
            )
        for position, block in enumerate(blocks_of(message)):
            _check_block(block, ("messages", index, "content", position), message["role"], bool(message["content"]), rules)
    if messages[0]["role"] == "assistant":
        raise Rejected('messages: first message must use the "user" role')
    for index, block in enumerate(body["system"] if isinstance(body.get("system"), list) else ()):
        if not block["text"].strip():
            raise Rejected(f"system.{index}: text content blocks must be non-empty")
    if messages[-1]["role"] == "assistant":
        _check_prefill(body)


def _check_block(block: dict[str, Any], path: tuple[str | int, ...], role: str, has_content: bool, rules: Rules) -> None:
    kind, field = block["type"], dotted(path)
    if kind == "text" and has_content and not block["text"].strip():
        what = "non-empty" if not block["text"] else "non-whitespace"
        raise Rejected(f"messages: text content blocks must contain non-whitespace text ({field} is not {what})")
    if kind in ("tool_use", "thinking", "redacted_thinking") and role != "assistant":
        raise Rejected(f"{field}: `{kind}` blocks can only be in `assistant` messages")
    if kind in ("tool_result", "image") and role == "assistant":
        raise Rejected(f"{field}: `{kind}` blocks can only be in `user` messages")
    if kind == "thinking" and rules.signed_thinking and "signature" not in block:
        raise Invalid("missing", (*path, "signature"))
    if kind == "thinking" and rules.signed_thinking and block["signature"] != signature_of(block["thinking"]):
        raise Rejected(f"{field}: Invalid `signature` in `thinking` block")
    source = block.get("source")
    if isinstance(source, dict) and source.get("type") == "base64" and decode(source["data"]) is None:
        raise Rejected(f"{field}.{kind}.source.base64: invalid base64 data")
    if isinstance(source, dict) and source.get("type") == "url" and not source["url"].startswith("https://"):
        raise Rejected(f"{field}.{kind}.source.url.url: Only HTTPS URLs are supported.")


def _check_prefill(body: dict[str, Any]) -> None:
    last = blocks_of(body["messages"][-1])
    if not PREFILL_MODELS.fullmatch(body["model"]):
        raise Rejected("This model does not support assistant message prefill. The conversation must end with a user message.")
    if (body.get("thinking") or {}).get("type", "disabled") != "disabled":
        raise Rejected("messages: the final message must not be an assistant's when thinking is enabled")
    if last and last[-1]["type"] == "text" and last[-1]["text"] != last[-1]["text"].rstrip():
        raise Rejected("messages: final assistant content cannot end with trailing whitespace")


def check_tool_results(messages: list[dict[str, Any]]) -> None:
    """Every tool_use must have its tool_result in the next message, before any other block. Adjacent messages with the same
    role are one message."""
    merged: list[tuple[str, list[dict[str, Any]]]] = []
    for message in messages:
        if merged and merged[-1][0] == message["role"]:
            merged[-1][1].extend(blocks_of(message))
        else:
            merged.append((message["role"], list(blocks_of(message))))
    calls: list[str] = []
    for index, (_, blocks) in enumerate(merged):
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        _check_results(index, blocks, results, calls)
        calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if len(set(calls)) < len(calls):
            raise Rejected(f"messages.{index}: `tool_use` ids must be unique")
    if calls:
        _reject_without_results(len(merged) - 1, calls)


def _check_results(index: int, blocks: list[dict[str, Any]], results: list[str], calls: list[str]) -> None:
    unexpected = [id for id in results if id not in calls]
    if unexpected:
        position = next(i for i, block in enumerate(blocks) if block.get("tool_use_id") == unexpected[0])
        raise Rejected(
            f"messages.{index}.content.{position}: unexpected `tool_use_id` found in `tool_result` blocks: {unexpected[0]}. "
            "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
        )
    first = {block.get("tool_use_id") for block in blocks[: len(results)]}
    missing = [id for id in calls if id not in first]
    if missing:
        _reject_without_results(index - 1, missing)
    doubled = [id for id in results if results.count(id) > 1]
    if doubled:
        raise Rejected(
            f"messages.{index}: each tool_use must have a single result. "
            f"Found multiple `tool_result` blocks with id: {doubled[0]}"
        )


def _reject_without_results(index: int, ids: list[str]) -> None:
    raise Rejected(
        f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(ids)}. "
        "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
    )
