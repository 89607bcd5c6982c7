"""Ollama's models, the server's side.

https://github.com/ollama/ollama/blob/main/docs/api.md#list-local-models
"""

from __future__ import annotations

from re import compile

from ....registry.listing import ModelListRequest
from ...exchange import ServiceOperation
from ...json_checks import boolean, record, string
from ..model_lists import list_operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....registry.listing import ModelList
    from ....registry.models import ModelInfo
    from ...exchange import Rules, ServerRequest

_DETAILS = {"format": "gguf", "family": "echo", "families": ["echo"], "parameter_size": "1B", "quantization_level": "F16"}
_SHOW = record({"model": string(1)}, {"verbose": boolean})


def write_model(model: ModelInfo) -> dict[str, Any]:
    return {
        "name": model.id,
        "model": model.id,
        "modified_at": "2025-11-24T16:00:00.123456789Z",
        "size": 1000,
        "digest": "0" * 64,
        "details": _DETAILS,
    }


def check_show(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
    _SHOW(body, ())


def read_show(received: ServerRequest, body: dict[str, Any], rules: Rules) -> ModelListRequest:
    return ModelListRequest(body["model"], None, {"names": rules.models})


def write_show(request: ModelListRequest, response: ModelList, rules: Rules) -> dict[str, Any]:
    (model,) = response.models
    return {
        "details": _DETAILS,
        "model_info": {"general.architecture": "echo", "echo.context_length": model.context_window},
        "capabilities": ["completion", "tools"],
        "modified_at": "2025-11-24T16:00:00.123456789Z",
    }


MODELS = list_operation(r"/tags$", {}, lambda page: {"models": [*map(write_model, page.models)]})
MODEL = ServiceOperation(compile(r"/show$"), check_show, read_show, write_show)
