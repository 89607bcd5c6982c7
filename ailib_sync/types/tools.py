"""Tools that a model may call, and its calls. Values only."""

from __future__ import annotations

from .._dataclass import dataclass, field
from ..errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


@dataclass(slots=True)
class Tool:
    """A function that the model may call. `parameters` is a JSON Schema object; `strict` requests arguments that match it.

    `extra` is merged into the provider's tool object unchanged, or for one dialect or provider only; `cache` marks the end of a
    prefix that the provider may cache. See `Text`.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})
    strict: bool | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    cache: bool | str = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ConfigurationError("Tool: name must be a non-empty string")
        if not hasattr(self.parameters, "keys"):
            raise ConfigurationError(f"Tool {self.name}: parameters must be a JSON Schema as a dict")

    @classmethod
    def from_function(cls, function: Callable[..., Any], *, name: str | None = None, strict: bool | None = None) -> Tool:
        """A tool from a Python function: its name, the first paragraph of its docstring and its annotated parameters."""
        from .function_schema import function_parameters  # imports inspect and typing: 20 ms

        summary = (function.__doc__ or "").strip().split("\n\n")[0]
        return cls(name or function.__name__, " ".join(summary.split()), function_parameters(function), strict)


@dataclass(slots=True)
class ToolCall:
    """A tool call of the model.

    `arguments` is the parsed object, or None if the model's text is not a JSON object. `arguments_raw` is that text as
    received (None if the provider sent an object). `signature` is an opaque token of the provider, sent back unchanged.
    """

    id: str
    name: str
    arguments: dict[str, Any] | None = field(default_factory=dict)
    arguments_raw: str | None = None
    signature: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
