"""Messages ↔ dicts in OpenAI's form, `{"role": …, "content": …}`, the form of many histories, datasets and libraries.

It has no field for signatures, provider-specific blocks and the origin of a message; `history` keeps those.
Format: https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages
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

#: OpenAI's name of an audio format → the subtype of its media type, if they differ.
_AUDIO_SUBTYPES = {"mp3": "mpeg"}


def message_from_dict(data: Mapping[str, Any]) -> Message:
    """A message from OpenAI's form. Unknown keys go into `extra`; empty values are ignored.

    Raises ConfigurationError with the key and the allowed values.
    """
    if not hasattr(data, "keys"):
        raise ConfigurationError(f"a message must be a dict with role and content, not {type(data).__name__}")
    rest = {key: value for key, value in data.items() if value not in (None, [], {})}
    role, content = rest.pop("role", None), rest.pop("content", None)
    if role is None:
        raise ConfigurationError(f"a message needs a role; this one has {', '.join(data) or 'no keys'}")
    name, tool_call_id = rest.pop("name", None), rest.pop("tool_call_id", None)
    blocks = _parse_content(content, role)
    if role == "tool":
        if not isinstance(tool_call_id, str):
            raise ConfigurationError("a message of role tool needs tool_call_id, the id of the tool call")
        message = Message.tool(tool_call_id, blocks, name)
        message.extra = rest
        return message
    if role == "assistant":
        blocks = _parse_assistant(blocks, rest)
    elif content is None:
        raise ConfigurationError(f"a message of role {role} needs content")
    return Message(MessageRole.SYSTEM if role == "developer" else role, blocks, name, extra=rest)


def _parse_assistant(content: str | list[Block], rest: dict[str, Any]) -> str | list[Block]:
    """The content with the other fields of the message: the thinking before it, the refusal and the tool calls after it."""
    thinking, refusal = rest.pop("reasoning_content", None), rest.pop("refusal", None)
    calls = [_parse_call(call, f"tool_calls[{number}]") for number, call in enumerate(rest.pop("tool_calls", ()))]
    if "function_call" in rest:
        raise ConfigurationError("function_call is deprecated; put the call into tool_calls")
    if not (thinking or refusal or calls):
        return content
    blocks: list[Block] = [Thinking(thinking)] if thinking else []
    if not isinstance(content, str):
        blocks += content
    elif content:
        blocks.append(Text(content))
    if refusal:
        blocks.append(Text(refusal))
    return [*blocks, *calls]


def _parse_call(data: Any, path: str) -> ToolCall:
    function = data.get("function") if hasattr(data, "keys") else None
    if function is None and hasattr(data, "keys") and hasattr(data.get("custom"), "keys"):
        return _parse_custom_call(data, path)
    if function is None or not hasattr(function, "keys"):
        raise ConfigurationError(f'{path} must be {{"id": …, "function": {{"name": …, "arguments": …}}}}')
    id, name, arguments = data.get("id"), function.get("name"), function.get("arguments")
    if not isinstance(id, str) or not isinstance(name, str):
        raise ConfigurationError(f"{path} needs an id and a function.name")
    extra = {key: value for key, value in data.items() if key not in ("id", "type", "function", "index")}
    if isinstance(arguments, str):
        return ToolCall(id, name, parse_arguments(arguments), arguments, extra=extra)
    if arguments is not None and not hasattr(arguments, "keys"):
        raise ConfigurationError(f"{path}.function.arguments must be JSON text or an object, not {type(arguments).__name__}")
    return ToolCall(id, name, dict(arguments or {}), extra=extra)


def _parse_custom_call(data: Any, path: str) -> ToolCall:
    """A call of a custom tool, whose input is any text: https://platform.openai.com/docs/guides/function-calling#custom-tools"""
    id, name, text = data.get("id"), data["custom"].get("name"), data["custom"].get("input")
    if not isinstance(id, str) or not isinstance(name, str) or not isinstance(text, str):
        raise ConfigurationError(f"{path} needs an id, a custom.name and a custom.input")
    return ToolCall(id, name, None, text, extra={"type": "custom"})


def _parse_content(content: Any, role: Any) -> str | list[Block]:
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, (list, tuple)):
        raise ConfigurationError(f"content of a {role} message must be text or a list of parts, not {type(content).__name__}")
    return [_parse_part(part, f"content[{number}]") for number, part in enumerate(content)]


def _parse_part(part: Any, path: str) -> Block:
    if isinstance(part, str):
        return Text(part)
    kind = part.get("type") if hasattr(part, "keys") else None
    if not isinstance(kind, str) or kind not in PARTS:
        known = ", ".join(PARTS)
        raise ConfigurationError(f"{path}: type must be one of {known}, not {kind!r}; Opaque({{…}}) sends a part unchanged")
    value = part.get(_KEY_OF.get(kind, kind))
    block = PARTS[kind](value if hasattr(value, "keys") else {"url": value, "text": value}, f"{path}.{kind}")
    block.extra = {key: value for key, value in part.items() if key not in ("type", _KEY_OF.get(kind, kind))}
    return block


def _parse_text(part: Mapping[str, Any], path: str) -> Text:
    text = part.get("text")
    if not isinstance(text, str):
        raise ConfigurationError(f"{path} must be text")
    return Text(text)


def _parse_image(part: Mapping[str, Any], path: str) -> Image:
    image: Image = _from_url(Image, part.get("url"), path)
    image.detail = part.get("detail")
    return image


def _parse_audio(part: Mapping[str, Any], path: str) -> Audio:
    if "data" not in part:
        audio: Audio = _from_url(Audio, part.get("url"), path)
        return audio
    name = part.get("format")
    if not isinstance(name, str):
        raise ConfigurationError(f"{path} needs a format, such as wav or mp3")
    return Audio(f"audio/{_AUDIO_SUBTYPES.get(name, name)}", _decode_base64(part["data"], path))


def _parse_file(part: Mapping[str, Any], path: str) -> Document:
    document: Document = _from_url(Document, part.get("file_data", part.get("file_url")), path)
    document.name = part.get("filename")
    return document


#: Type of a part → its parser.
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
#: The key of a part's value, if it is not the type.
_KEY_OF = {"input_text": "text", "output_text": "text", "input_image": "image_url"}


def _from_url(cls: type[Any], url: Any, path: str) -> Any:
    """A block from a URL; a `data:` URL is decoded (RFC 2397)."""
    if not isinstance(url, str) or not url:
        raise ConfigurationError(f"{path} needs a URL: https://… or data:…;base64,…")
    try:
        found = parse_data_url(url)
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from None
    return cls(url=url) if found is None else cls(*found)


def _decode_base64(text: Any, path: str) -> bytes:
    """The bytes of base64 text. Raises ConfigurationError with its path."""
    try:
        return parse_base64(text)
    except ValueError:
        raise ConfigurationError(f"{path} is not base64") from None


def message_to_dict(message: Message) -> dict[str, Any]:
    """The message in OpenAI's form, without signatures, provider-specific blocks and `origin`: it has no field for them."""
    if message.role is MessageRole.TOOL:
        return _render_result(message)
    data: dict[str, Any] = {"role": message.role.value, "content": message.content}
    calls = [_render_call(call) for call in message.tool_calls]
    thinking = "".join(block.text for block in message.blocks if isinstance(block, Thinking))
    if not isinstance(message.content, str):
        data["content"] = _render_content(message.content)
    if message.name is not None:
        data["name"] = message.name
    if thinking:
        data["reasoning_content"] = thinking
    if calls:
        data["content"] = data["content"] or None
        data["tool_calls"] = calls
    return data | message.extra


def _render_result(message: Message) -> dict[str, Any]:
    blocks = message.blocks
    if len(blocks) != 1 or not isinstance(blocks[0], ToolResult):
        raise ConfigurationError("a message in OpenAI's form has exactly one tool result; use dump_messages")
    result = blocks[0]
    content = result.content if isinstance(result.content, str) else _render_content(result.content)
    data = {"role": "tool", "tool_call_id": result.tool_call_id, "content": content}
    if result.name is not None:
        data["name"] = result.name
    return data | message.extra


def _render_call(call: ToolCall) -> dict[str, Any]:
    raw = call.arguments_raw
    arguments = raw if raw is not None else json.dumps(call.arguments or {}, ensure_ascii=False)
    extra = {key: value for key, value in call.extra.items() if key != "type"}
    if call.extra.get("type") == "custom":
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": arguments}, **extra}
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}, **extra}


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
        image = {"url": block.data_url()}
        part = {"type": "image_url", "image_url": {**image, "detail": block.detail} if block.detail else image}
    elif isinstance(block, Audio) and block.url is not None:
        part = {"type": "audio_url", "audio_url": {"url": block.url}}
    elif isinstance(block, Audio):
        names = {subtype: name for name, subtype in _AUDIO_SUBTYPES.items()}
        name = names.get(block.format(), block.format())
        part = {"type": "input_audio", "input_audio": {"data": block.base64(), "format": name}}
    elif isinstance(block, Document):
        file = {"file_data": block.data_url()} if block.url is None else {"file_url": block.url}
        part = {"type": "file", "file": {**file, "filename": block.name} if block.name else file}
    else:
        return None
    return part | block.extra
