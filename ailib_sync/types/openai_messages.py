"""Messages ↔ dicts in OpenAI's form, `{"role": …, "content": …}`, which histories, datasets and other libraries share.

It has no place for signatures, a provider's own blocks and where a message came from; `history` keeps those.
"""

from __future__ import annotations

import json

from ..errors import ConfigurationError
from .json_values import parse_arguments, parse_base64, parse_data_url
from .messages import Audio, Document, Image, Message, MessageRole, Text, Thinking, ToolResult
from .tools import ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from .messages import Block

#: OpenAI's word for a sound's format, where it is not the media type's own.
_FORMATS = {"mp3": "mpeg"}


def message_from_dict(data: Mapping[str, Any]) -> Message:
    """A message from OpenAI's form; keys it does not know go into `extra`, empty ones nowhere.

    Raises ConfigurationError naming what is wrong.
    """
    if not hasattr(data, "keys"):
        raise ConfigurationError(f"a message must be a dict with role and content, not {type(data).__name__}")
    rest = {key: value for key, value in data.items() if value not in (None, [], {})}
    role, content = rest.pop("role", None), rest.pop("content", None)
    if role is None:
        raise ConfigurationError(f"a message needs a role; this one has {', '.join(data) or 'nothing'}")
    name, tool_call_id = rest.pop("name", None), rest.pop("tool_call_id", None)
    blocks = _parse_content(content, role)
    if role == "tool":
        if not isinstance(tool_call_id, str):
            raise ConfigurationError("a message of role tool needs the tool_call_id of the call it answers")
        message = Message.tool(tool_call_id, blocks, name)
        message.extra = rest
        return message
    if role == "assistant":
        blocks = _parse_assistant(blocks, rest)
    elif content is None:
        raise ConfigurationError(f"a message of role {role} needs content")
    return Message(MessageRole.SYSTEM if role == "developer" else role, blocks, name, extra=rest)


def _parse_assistant(content: str | list[Block], rest: dict[str, Any]) -> str | list[Block]:
    """The content with what stands beside it: thoughts before, a refusal and calls behind."""
    thought, refusal = rest.pop("reasoning_content", None), rest.pop("refusal", None)
    calls = [_parse_call(call, f"tool_calls[{number}]") for number, call in enumerate(rest.pop("tool_calls", ()))]
    if "function_call" in rest:
        raise ConfigurationError("function_call is the retired form; give the call in tool_calls")
    if not (thought or refusal or calls):
        return content
    blocks: list[Block] = [Thinking(thought)] if thought else []
    if not isinstance(content, str):
        blocks += content
    elif content:
        blocks.append(Text(content))
    if refusal:
        blocks.append(Text(refusal))
    return [*blocks, *calls]


def _parse_call(data: Any, where: str) -> ToolCall:
    function = data.get("function") if hasattr(data, "keys") else None
    if function is None or not hasattr(function, "keys"):
        raise ConfigurationError(f'{where} must be {{"id": …, "function": {{"name": …, "arguments": …}}}}')
    id, name, arguments = data.get("id"), function.get("name"), function.get("arguments")
    if not isinstance(id, str) or not isinstance(name, str):
        raise ConfigurationError(f"{where} needs an id and a function.name")
    if isinstance(arguments, str):
        return ToolCall(id, name, parse_arguments(arguments), arguments)
    if arguments is not None and not hasattr(arguments, "keys"):
        raise ConfigurationError(f"{where}.function.arguments must be JSON text or an object, not {type(arguments).__name__}")
    return ToolCall(id, name, dict(arguments or {}))


def _parse_content(content: Any, role: Any) -> str | list[Block]:
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, (list, tuple)):
        raise ConfigurationError(f"content of a {role} message must be text or a list of parts, not {type(content).__name__}")
    return [_parse_part(part, f"content[{number}]") for number, part in enumerate(content)]


def _parse_part(part: Any, where: str) -> Block:
    if isinstance(part, str):
        return Text(part)
    kind = part.get("type") if hasattr(part, "keys") else None
    if not isinstance(kind, str) or kind not in PARTS:
        known = ", ".join(PARTS)
        raise ConfigurationError(f"{where}: type must be one of {known}, not {kind!r}; Opaque({{…}}) sends a part as it is")
    held = part.get(_KEY_OF.get(kind, kind))
    block = PARTS[kind](held if hasattr(held, "keys") else {"url": held, "text": held}, f"{where}.{kind}")
    block.extra = {key: value for key, value in part.items() if key not in ("type", _KEY_OF.get(kind, kind))}
    return block


def _parse_text(held: Mapping[str, Any], where: str) -> Text:
    text = held.get("text")
    if not isinstance(text, str):
        raise ConfigurationError(f"{where} must be text")
    return Text(text)


def _parse_image(held: Mapping[str, Any], where: str) -> Image:
    image: Image = _from_address(Image, held.get("url"), where)
    image.detail = held.get("detail")
    return image


def _parse_audio(held: Mapping[str, Any], where: str) -> Audio:
    if "data" not in held:
        audio: Audio = _from_address(Audio, held.get("url"), where)
        return audio
    form = held.get("format")
    if not isinstance(form, str):
        raise ConfigurationError(f"{where} needs a format, such as wav or mp3")
    return Audio(f"audio/{_FORMATS.get(form, form)}", _decode_base64(held["data"], where))


def _parse_file(held: Mapping[str, Any], where: str) -> Document:
    document: Document = _from_address(Document, held.get("file_data", held.get("file_url")), where)
    document.name = held.get("filename")
    return document


#: Part type → its reader, and the key that holds the part where that is not its type.
PARTS: Mapping[str, Callable[[Mapping[str, Any], str], Text | Image | Audio | Document]] = {
    "text": _parse_text,
    "image_url": _parse_image,
    "input_audio": _parse_audio,
    "audio_url": _parse_audio,
    "file": _parse_file,
    "refusal": _parse_text,
    "input_text": _parse_text,
    "output_text": _parse_text,
    "input_image": _parse_image,
}
_KEY_OF = {"input_text": "text", "output_text": "text", "input_image": "image_url"}


def _from_address(cls: type[Any], url: Any, where: str) -> Any:
    """A block from an address; a `data:` URL holds the bytes themselves, as base64 or percent-encoded (RFC 2397)."""
    if not isinstance(url, str) or not url:
        raise ConfigurationError(f"{where} needs an address: https://… or data:…;base64,…")
    try:
        found = parse_data_url(url)
    except ValueError as error:
        raise ConfigurationError(f"{where}: {error}") from None
    return cls(url=url) if found is None else cls(*found)


def _decode_base64(text: Any, where: str) -> bytes:
    """The bytes of base64 text; `where` is for the message of the ConfigurationError."""
    try:
        return parse_base64(text)
    except ValueError:
        raise ConfigurationError(f"{where} is not base64") from None


def message_to_dict(message: Message) -> dict[str, Any]:
    """The message in OpenAI's form. Signatures, a provider's own blocks and `origin` have no place there and are left out."""
    if message.role is MessageRole.TOOL:
        return _render_result(message)
    data: dict[str, Any] = {"role": message.role.value, "content": message.content}
    calls = [_render_call(call) for call in message.tool_calls]
    thoughts = "".join(block.text for block in message.blocks if isinstance(block, Thinking))
    if not isinstance(message.content, str):
        data["content"] = _render_content(message.content)
    if message.name is not None:
        data["name"] = message.name
    if thoughts:
        data["reasoning_content"] = thoughts
    if calls:
        data["content"] = data["content"] or None
        data["tool_calls"] = calls
    return data | message.extra


def _render_result(message: Message) -> dict[str, Any]:
    blocks = message.blocks
    if len(blocks) != 1 or not isinstance(blocks[0], ToolResult):
        raise ConfigurationError("OpenAI's form holds one tool result in a message; dump_messages takes any number")
    result = blocks[0]
    content = result.content if isinstance(result.content, str) else _render_content(result.content)
    data = {"role": "tool", "tool_call_id": result.tool_call_id, "content": content}
    named = {**data, "name": result.name} if result.name is not None else data
    return named | message.extra


def _render_call(call: ToolCall) -> dict[str, Any]:
    raw = call.arguments_raw
    arguments = raw if raw is not None else json.dumps(call.arguments or {}, ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _render_content(blocks: Iterable[Block]) -> str | list[dict[str, Any]]:
    parts = [part for part in map(_render_part, blocks) if part is not None]
    if len(parts) == 1 and parts[0].keys() == {"type", "text"}:
        text: str = parts[0]["text"]
        return text
    return parts or ""


def _render_part(block: Block) -> dict[str, Any] | None:
    if isinstance(block, Text):
        part: dict[str, Any] = {"type": "text", "text": block.text}
    elif isinstance(block, Image):
        held = {"url": block.data_url()}
        part = {"type": "image_url", "image_url": {**held, "detail": block.detail} if block.detail else held}
    elif isinstance(block, Audio) and block.url is not None:
        part = {"type": "audio_url", "audio_url": {"url": block.url}}
    elif isinstance(block, Audio):
        form = next((name for name, kind in _FORMATS.items() if kind == block.format()), block.format())
        part = {"type": "input_audio", "input_audio": {"data": block.base64(), "format": form}}
    elif isinstance(block, Document):
        held = {"file_data": block.data_url()} if block.url is None else {"file_url": block.url}
        part = {"type": "file", "file": {**held, "filename": block.name} if block.name else held}
    else:
        return None
    return part | block.extra
