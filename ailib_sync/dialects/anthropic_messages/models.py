"""Models in Anthropic's format: `GET /models`, `GET /models/{model}`.

https://platform.claude.com/docs/en/api/models/list
"""

from __future__ import annotations

from ..model_list import model_operation, models_operation

MODELS = models_operation(
    query=lambda request: {"limit": "1000", **({"after_id": request.page} if request.page else {})},
    next_page=lambda body: body.get("last_id") if body.get("has_more") else None,
)
MODEL = model_operation()
