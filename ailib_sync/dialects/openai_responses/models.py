"""Models in OpenAI's format, for hosts of the Responses API: `GET /models`, `GET /models/{model}`.

https://platform.openai.com/docs/api-reference/models
"""

from __future__ import annotations

from ..model_list import model_operation, models_operation

MODELS = models_operation(
    # OpenAI sends all models in one response; hosts that send pages do it like OpenAI's other lists.
    query=lambda request: {"after": request.page} if request.page else {},
    next_page=lambda body: body.get("last_id") if body.get("has_more") else None,
)
MODEL = model_operation()
