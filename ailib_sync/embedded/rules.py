"""A manifest → the `Rules` of the host that it describes: how this host differs from its dialect."""

from __future__ import annotations

from .exchange import Rules
from .service import find_operation, service_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from re import Pattern

    from ..registry.manifest import Manifest
    from .exchange import ServiceOperation

#: Quirk → the fields of messages, and of tool calls in them, that a host with this quirk supports.
MESSAGE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "replay_reasoning_content": ("reasoning_content",),
    "replay_reasoning": ("reasoning",),
    "replay_reasoning_details": ("reasoning_details",),
    "replay_thinking_blocks": ("thinking_blocks",),
    "replay_extra_content": ("extra_content",),
    "tool_result_name": ("name",),
    "prefill_prefix": ("prefix",),
}
#: The style of a manifest's `reasoning` → the fields of the body that request thinking.
STYLE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "thinking_type": ("thinking",),
    "enable_thinking": ("enable_thinking", "thinking_budget"),
    "reasoning_object": ("reasoning",),
    "template_kwargs": ("chat_template_kwargs",),
}


def rules_at(
    manifest: Manifest, path: str, model: str, *, method: str | None = None, strict: bool = True, shows_thinking: bool = False
) -> Rules:
    """The rules for a request to this path: those of its dialect and operation, otherwise of chat in OpenAI's format."""
    dialect, operation = find_operation(path, method) or ("openai_chat", "chat")
    if operation in manifest.operations:
        resolved = manifest.for_operation(operation, model)
    else:
        resolved = manifest.for_model(model, dialect)
    return rules_of(resolved, model, operation=operation, strict=strict, shows_thinking=shows_thinking)


def rules_of(
    manifest: Manifest,
    model: str = "",
    *,
    operation: str = "chat",
    key: str | None = None,
    targets: tuple[Pattern[str], ...] = (),
    strict: bool = True,
    shows_thinking: bool = False,
) -> Rules:
    """`manifest` must be resolved for the operation and the model. With `shows_thinking`, responses contain the thinking
    even if the manifest has no field for it."""
    reasoning = manifest.reasoning or {}
    quirks = [quirk for quirk in MESSAGE_FIELDS if manifest.has(quirk)]
    service = service_of(manifest.dialect).operations[operation]
    return Rules(
        dialect=manifest.dialect,
        operation=operation,
        key=key if manifest.auth.get("scheme") != "none" else None,
        auth=manifest.auth,
        headers={name: value for name, value in manifest.headers.items() if "{" not in value},
        targets=targets,
        fields=_host_fields(manifest),
        message_fields=frozenset(field for quirk in quirks for field in MESSAGE_FIELDS[quirk]),
        part_types=frozenset(("thinking", "reasoning") if manifest.has("replay_thinking_parts") else ()),
        efforts=frozenset(word for word in reasoning.get("efforts") or () if isinstance(word, str)),
        unsupported=_unsupported(manifest, service),
        forbidden_model_prefix=_forbidden_model_prefix(manifest),
        model_outside_body=model if _has_model_outside_body(manifest, service) else None,
        has_call_ids=not manifest.has("no_function_call_ids"),
        requires_signed_calls=manifest.has("thought_signatures_required"),
        signed_thinking=manifest.has("signed_thinking"),
        mid_conversation_system=manifest.has("mid_conversation_system"),
        cache_control=manifest.has("cache_control"),
        json_word=manifest.has("json_word"),
        effort_with_tools=_effort_with_tools(manifest),
        strict_schemas=manifest.has("strict_schemas"),
        audio_urls=manifest.has("audio_data_uri"),
        always_sends_usage=manifest.has("no_stream_usage") and bool(manifest.capabilities.get("stream_usage")),
        sampling_while_thinking=not reasoning.get("no_sampling"),
        thinking_field=_thinking_field(manifest) or ("reasoning_content" if shows_thinking else None),
        strict=strict,
    )


def _effort_with_tools(manifest: Manifest) -> str | None:
    reasoning = manifest.reasoning or {}
    other = reasoning.get("with_tools")
    return (reasoning.get("default") or "medium") if other and other != manifest.dialect else None


def _has_model_outside_body(manifest: Manifest, operation: ServiceOperation) -> bool:
    """Whether the path or another field names the model, although the body does so in this dialect."""
    in_path = any("{model}" in path for path in manifest.paths.values())
    return (in_path or manifest.body.get("model", "") is None) and "model" not in operation.path.groupindex


def _host_fields(manifest: Manifest) -> frozenset[str]:
    """The top-level fields of all wire names in the manifest."""
    reasoning = manifest.reasoning or {}
    names = [name for name in manifest.parameters.values() if name]
    names += manifest.body
    names += STYLE_FIELDS.get(str(reasoning.get("style")), ())
    names += [reasoning[part] for part in ("switch", "effort", "budget") if isinstance(reasoning.get(part), str)]
    for fields in (reasoning.get("show"), reasoning.get("hide")):
        names += fields or ()
    return frozenset(name.partition(".")[0] for name in names)


def _unsupported(manifest: Manifest, operation: ServiceOperation) -> dict[str, str]:
    """The dialect's fields for options that this host does not support, or supports under another name."""
    used = set(manifest.parameters.values())
    stream_options = {"stream_options": ""} if manifest.has("no_stream_usage") else {}
    return stream_options | {
        wire: manifest.parameters[option] or ""
        for option, wire in operation.options.items()
        if option in manifest.parameters and manifest.parameters[option] != wire and wire not in used
    }


def _forbidden_model_prefix(manifest: Manifest) -> str | None:
    """`<id>/`, with which no name of a model begins, unless the manifest has rules for such models."""
    prefix = f"{manifest.id}/"
    return None if any(pattern.startswith(prefix) for pattern in manifest.models) else prefix


def _thinking_field(manifest: Manifest) -> str | None:
    """The field for the thinking; None for a host that receives an effort only, and no thinking back, since it shows none."""
    if manifest.has("replay_reasoning"):
        return "reasoning"
    is_hidden = (manifest.reasoning or {}).get("style") == "effort" and not manifest.has("replay_reasoning_content")
    return None if is_hidden else "reasoning_content"
