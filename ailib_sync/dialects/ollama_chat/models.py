"""Models of Ollama: `GET /tags` lists those that are installed, `POST /show` describes one.

https://github.com/ollama/ollama/blob/main/docs/api.md#list-local-models
"""

from __future__ import annotations

from ...registry.listing import ModelList
from ...types.json_values import child
from ..dialect import Operation, wrong_shape
from ..model_list import models_operation, read_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.listing import ModelListRequest
    from ...registry.manifest import Manifest
    from ...types.request import Ledger
    from ..dialect import Received


def render_show(request: ModelListRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    return {"model": request.model}


def parse_show(received: Received, manifest: Manifest) -> ModelList:
    """The response does not repeat the name. The context window is under the model's architecture: `llama.context_length`."""
    body = received.body
    if not isinstance(body, dict):
        raise wrong_shape(manifest, "it is not an object", body)
    facts = child(body, "model_info")
    context = facts.get(f"{facts.get('general.architecture')}.context_length")
    return ModelList([read_model({"id": received.request.model, "context_length": context, **body}, manifest, body)])


MODELS = models_operation("/tags")
MODEL = Operation("model", render_show, parse_show, {}, "/show")
