"""Anthropic's models, the server's side.

https://platform.claude.com/docs/en/api/models/list
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
        "type": "model",
        "id": model.id,
        "display_name": model.name,
        "created_at": "2025-11-24T16:00:00Z",
        "max_input_tokens": model.context_window,
        "max_tokens": model.max_output,
    }


def write_page(page: ModelList) -> dict[str, Any]:
    ids = [model.id for model in page.models]
    return {
        "data": [*map(write_model, page.models)],
        "has_more": page.next_page is not None,
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
    }


MODELS = list_operation(r"/models$", {"page": "after_id", "size": "limit"}, write_page)
MODEL = one_operation(r"/models/(?P<model>[^/:]+)$", write_model)
