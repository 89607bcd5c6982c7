"""Gemini's models, the server's side.

https://ai.google.dev/api/models
"""

from __future__ import annotations

from ..model_lists import list_operation, one_operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....registry.listing import ModelList
    from ....registry.models import ModelInfo


def write_model(model: ModelInfo) -> dict[str, Any]:
    return {
        "name": f"models/{model.id}",
        "version": "001",
        "displayName": model.name,
        "inputTokenLimit": model.context_window,
        "outputTokenLimit": model.max_output,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }


def write_page(page: ModelList) -> dict[str, Any]:
    """The last page has no token."""
    token = {"nextPageToken": page.next_page} if page.next_page else {}
    return {"models": [*map(write_model, page.models)], **token}


MODELS = list_operation(r"/models$", {"page": "pageToken", "size": "pageSize"}, write_page)
MODEL = one_operation(r"/models/(?P<model>[^/:]+)$", write_model)
