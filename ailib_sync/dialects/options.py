"""The options of a request under their wire names: the rules that all dialects share."""

from __future__ import annotations

import json

from ..errors import ConfigurationError
from ..types.request import ResponseFormat
from .reasoning import thinks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ..registry.manifest import Manifest
    from ..types.request import ChatRequest, Ledger, ResponseFormatKind

#: Options whose wire form is more than a name and a value: each dialect renders them itself.
STRUCTURED = frozenset(("tool_choice", "parallel_tool_calls", "response_format", "reasoning"))

#: The options that a manifest with `reasoning.no_sampling` rejects while the model thinks.
SAMPLING = ("temperature", "top_p", "top_k")


def render_options(request: ChatRequest, manifest: Manifest, table: Mapping[str, str], ledger: Ledger) -> dict[str, Any]:
    """The plain options of a chat under their wire names; see `place_options`. The dialect renders the structured ones."""
    given = {name: value for name, value in request.options.given().items() if name not in STRUCTURED}
    if (manifest.reasoning or {}).get("no_sampling") and thinks(request, manifest):
        for option in SAMPLING:
            # 1 is the only temperature and top_p with which these models think:
            # https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility
            if option in given and (given[option] != 1 or option == "top_k"):
                del given[option]
                ledger.dropped(option, "is not supported while the model thinks", f"{manifest.id}: reasoning.no_sampling")
    return place_options(given, manifest, table, ledger)


def place_options(given: Mapping[str, Any], manifest: Manifest, table: Mapping[str, str], ledger: Ledger) -> dict[str, Any]:
    """Options under their wire names, nested if the name is dotted, with the manifest's defaults.

    Raises ConfigurationError if a value is outside the manifest's `limits`.
    """
    body: dict[str, Any] = {}
    for option, value in given.items():
        if allows(option, manifest, table, ledger):
            _check_limit(option, value, manifest)
            wire, source = wire_name(option, manifest, table)
            if option in manifest.values:
                _place_word(body, option, value, wire, manifest, ledger)
                continue
            place(body, wire, list(value) if isinstance(value, tuple) else value)
            ledger.sent(option, wire, source)
    for option, value in manifest.defaults.items():
        if option not in given:
            wire, _ = wire_name(option, manifest, table)
            place(body, wire, value)
            ledger.note(option, "defaulted", f"{wire} = {json.dumps(value)}", f"{manifest.id}: defaults.{option}")
    return body


def _place_word(body: dict[str, Any], option: str, value: str, wire: str, manifest: Manifest, ledger: Ledger) -> None:
    """Places the provider's word for a value, from the manifest's `values`. A value without one is not supported."""
    source, words = f"{manifest.id}: values.{option}", manifest.values[option]
    if value in words:
        place(body, wire, words[value])
        ledger.sent(option, wire, source, f"{wire} = {json.dumps(words[value])}")
    else:
        ledger.dropped(option, unsupported(value, manifest), source)


def allows(option: str, manifest: Manifest, table: Mapping[str, str], ledger: Ledger) -> bool:
    """Whether the provider supports this option for this model; if not, the ledger says so."""
    wire, source = wire_name(option, manifest, table)
    if wire:
        return True
    ledger.dropped(option, f"is not supported by {manifest.name} for this model", source)
    return False


def unsupported(value: str, manifest: Manifest) -> str:
    """The ledger's text for a value of an option that the provider does not support."""
    return f"{value!r} is not supported by {manifest.name} for this model"


def wire_name(option: str, manifest: Manifest, table: Mapping[str, str]) -> tuple[str, str]:
    """(the option's name on the wire, the source of that name). The name is "" if the option is not supported."""
    if option in manifest.parameters:
        return manifest.parameters[option] or "", f"{manifest.id}: parameters.{option}"
    return table.get(option) or "", f"{manifest.dialect}: parameters.{option}"


def place(body: dict[str, Any], dotted: str, value: Any) -> None:
    """Sets `value` in `body` at a dotted name, and creates the objects in between."""
    *path, last = dotted.split(".")
    for key in path:
        body = body.setdefault(key, {})
    body[last] = value


def join(body: dict[str, Any], extra: Mapping[str, Any]) -> None:
    """Merges `extra` into `body`. Objects under the same key are merged too, so that one option never hides another."""
    for key, value in extra.items():
        held = body.get(key)
        if isinstance(held, dict) and isinstance(value, dict):
            body[key] = held = dict(held)
            join(held, value)
        else:
            body[key] = value


def _check_limit(option: str, value: Any, manifest: Manifest) -> None:
    limit = manifest.limits.get(option)
    if limit is None:
        return
    if isinstance(limit, list):
        low, high = limit
        if (low is not None and value < low) or (high is not None and value > high):
            raise ConfigurationError(f"{option} must be between {low} and {high} for {manifest.name}, not {value}")
    elif isinstance(value, tuple) and len(value) > limit:
        raise ConfigurationError(f"{option}: {manifest.name} supports at most {limit}, not {len(value)}")


#: Added to a prompt that has no word for it, if the service requires one (quirk json_word).
JSON_WORD = "Respond with a JSON object."


def needs_json_word(form: ResponseFormat, texts: Iterable[Any], manifest: Manifest, ledger: Ledger) -> bool:
    """Whether the service rejects JSON mode because no message has the word; `texts` are contents: text, or lists of parts."""
    if form.kind != "json" or not manifest.has("json_word") or any(map(_has_json_word, texts)):
        return False
    source = f"{manifest.id}: quirks.json_word"
    ledger.changed("response_format", f"adds the message {JSON_WORD!r}: a message must have the word json", source)
    return True


def _has_json_word(content: Any) -> bool:
    if isinstance(content, str):
        return "json" in content.lower()
    return isinstance(content, list) and any("json" in str(part.get("text", "")).lower() for part in content)


def settle_format(
    request: ChatRequest,
    manifest: Manifest,
    table: Mapping[str, str],
    ledger: Ledger,
    kinds: tuple[ResponseFormatKind, ...] = ("json", "json_schema"),
) -> ResponseFormat | None:
    """The response format to send, as near to the requested one as the provider supports; None if there is none to send.

    `kinds` are those that the wire format has; where `text` is not one of them, it is the absence of a format.
    """
    requested = request.options.response_format
    if requested is None or not allows("response_format", manifest, table, ledger):
        return None
    source = f"{manifest.id}: response_format"
    wire, _ = wire_name("response_format", manifest, table)
    if requested.kind == "text":
        ledger.sent("response_format", wire, source, "" if "text" in kinds else "nothing: text is the default")
        return requested if "text" in kinds else None
    if request.tools and manifest.has("no_response_format_with_tools"):
        ledger.dropped("response_format", f"is left out: {manifest.name} does not support it together with tools", source)
        return None
    supported = [kind for kind in kinds if kind in manifest.response_format]
    if requested.kind in supported:
        ledger.sent("response_format", wire, source)
        return requested
    if requested.kind == "json_schema" and "json" in supported:
        detail = f"is sent without its schema, which {manifest.name} does not support for this model: put it into the prompt"
        ledger.changed("response_format", detail, source)
        return ResponseFormat("json")
    if "json_schema" in supported and "json" in kinds:
        detail = f"{unsupported(requested.kind, manifest)}; json_schema is sent, with a schema that allows any object"
        ledger.changed("response_format", detail, source)
        return ResponseFormat("json_schema", {"type": "object"}, strict=None)
    advice = "; give a schema" if "json_schema" in supported else ""
    ledger.dropped("response_format", unsupported(requested.kind, manifest) + advice, source)
    return None
