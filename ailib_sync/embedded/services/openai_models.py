"""OpenAI's models, the server's side.

https://platform.openai.com/docs/api-reference/models
"""

from __future__ import annotations

from .model_lists import list_operation, one_operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.listing import ModelList
    from ...registry.models import ModelInfo


def write_model(model: ModelInfo) -> dict[str, Any]:
    return {"id": model.id, "object": "model", "created": model.created, "owned_by": model.owner}


def write_page(page: ModelList) -> dict[str, Any]:
    """OpenAI itself sends all models in one response; hosts with pages do it like OpenAI's other lists."""
    cursor = {"has_more": True, "last_id": page.next_page} if page.next_page else {}
    return {"object": "list", "data": [*map(write_model, page.models)], **cursor}


MODELS = list_operation(r"/models$", {"page": "after", "size": "limit"}, write_page)
MODEL = one_operation(r"/models/(?P<model>[^/:]+)$", write_model)
