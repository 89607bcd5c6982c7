"""Cohere's models, the server's side.

https://docs.cohere.com/reference/list-models
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
        "name": model.id,
        "endpoints": ["chat"],
        "finetuned": False,
        "context_length": model.context_window,
        "features": ["tools", "json_schema"],
    }


def write_page(page: ModelList) -> dict[str, Any]:
    return {"models": [*map(write_model, page.models)], "next_page_token": page.next_page or ""}


MODELS = list_operation(r"/models$", {"page": "page_token", "size": "page_size"}, write_page)
MODEL = one_operation(r"/models/(?P<model>[^/:]+)$", write_model)
