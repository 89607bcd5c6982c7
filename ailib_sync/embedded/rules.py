"""A manifest → the `Rules` of the service it describes: what that one host asks for beyond its dialect."""

from __future__ import annotations

from .exchange import Rules
from .service import operation_of, speaker_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from re import Pattern

    from ..registry.manifest import Manifest
    from .exchange import Speaker

#: Quirk → the fields of messages (and of tool calls in them) that a host with it takes.
MESSAGE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "replay_reasoning_content": ("reasoning_content",),
    "replay_reasoning": ("reasoning",),
    "replay_reasoning_details": ("reasoning_details",),
    "replay_thinking_blocks": ("thinking_blocks",),
    "replay_extra_content": ("extra_content",),
    "tool_result_name": ("name",),
    "prefill_prefix": ("prefix",),
}
#: How a manifest's `reasoning` asks for thinking → the body's fields for it.
STYLE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "thinking_type": ("thinking",),
    "enable_thinking": ("enable_thinking", "thinking_budget"),
    "reasoning_object": ("reasoning",),
    "template_kwargs": ("chat_template_kwargs",),
}


def manifest_at(manifest: Manifest, path: str, model: str, dialect: str) -> Manifest:
    """The manifest resolved for the operation that a request to this path asks for."""
    operation = operation_of(path, dialect)
    if operation is not None and operation.name in manifest.operations:
        return manifest.for_operation(operation.name, model)
    return manifest.for_model(model, dialect)


def rules_of(
    manifest: Manifest,
    model: str = "",
    *,
    key: str | None = None,
    targets: tuple[Pattern[str], ...] = (),
    strict: bool = True,
    shows_thinking: bool = False,
) -> Rules:
    """`manifest` is the one resolved for `model`; `shows_thinking` has the thoughts shown where it says nothing of them."""
    reasoning = manifest.reasoning or {}
    quirks = [quirk for quirk in MESSAGE_FIELDS if manifest.has(quirk)]
    return Rules(
        dialect=manifest.dialect,
        key=key if manifest.auth.get("scheme") != "none" else None,
        auth=manifest.auth,
        headers={name: value for name, value in manifest.headers.items() if "{" not in value},
        targets=targets,
        fields=_own_fields(manifest),
        message_fields=frozenset(field for quirk in quirks for field in MESSAGE_FIELDS[quirk]),
        part_types=frozenset(("thinking", "reasoning") if manifest.has("replay_thinking_parts") else ()),
        efforts=frozenset(word for word in reasoning.get("efforts") or () if isinstance(word, str)),
        refused=_refused(manifest, speaker_of(manifest.dialect)),
        prefix=_prefix(manifest),
        model=model if _model_is_elsewhere(manifest) else None,
        call_ids=not manifest.has("no_function_call_ids"),
        signed_calls=manifest.has("thought_signatures_required"),
        mid_system=manifest.has("mid_conversation_system"),
        audio_uris=manifest.has("audio_data_uri"),
        unasked_usage=manifest.has("no_stream_usage") and bool(manifest.capabilities.get("stream_usage")),
        cool_thinking=not reasoning.get("no_sampling"),
        thinking_field=_thinking_field(manifest) or ("reasoning_content" if shows_thinking else None),
        strict=strict,
    )


def _model_is_elsewhere(manifest: Manifest) -> bool:
    """Whether this host, unlike others of its dialect, takes the model's name in the path or under another key."""
    in_path = any("{model}" in path for path in manifest.paths.values())
    return (in_path or manifest.body.get("model", "") is None) and "model" not in speaker_of(manifest.dialect).tail.groupindex


def _own_fields(manifest: Manifest) -> frozenset[str]:
    """The first steps of every wire name the manifest mentions."""
    reasoning = manifest.reasoning or {}
    names = [name for name in manifest.parameters.values() if name]
    names += manifest.body
    names += STYLE_FIELDS.get(str(reasoning.get("style")), ())
    names += [reasoning[part] for part in ("switch", "effort", "budget") if isinstance(reasoning.get(part), str)]
    for fields in (reasoning.get("show"), reasoning.get("hide")):
        names += fields or ()
    return frozenset(name.partition(".")[0] for name in names)


def _refused(manifest: Manifest, speaker: Speaker) -> dict[str, str]:
    """The dialect's own fields for options that this host has under another name, or not at all."""
    used = set(manifest.parameters.values())
    without_options = {"stream_options": ""} if manifest.has("no_stream_usage") else {}
    return without_options | {
        wire: manifest.parameters[option] or ""
        for option, wire in speaker.options.items()
        if option in manifest.parameters and manifest.parameters[option] != wire and wire not in used
    }


def _prefix(manifest: Manifest) -> str | None:
    """`<id>/`, which no model's name begins with, unless the manifest itself names such models."""
    prefix = f"{manifest.id}/"
    return None if any(pattern.startswith(prefix) for pattern in manifest.models) else prefix


def _thinking_field(manifest: Manifest) -> str | None:
    """Where the host writes its thoughts; a host that is only told an effort, and wants nothing back, keeps them to itself."""
    if manifest.has("replay_reasoning"):
        return "reasoning"
    silent = (manifest.reasoning or {}).get("style") == "effort" and not manifest.has("replay_reasoning_content")
    return None if silent else "reasoning_content"
