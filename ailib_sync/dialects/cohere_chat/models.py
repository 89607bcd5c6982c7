"""Models in Cohere's format: `GET /models`, `GET /models/{model}`, in version 1 of the API.

https://docs.cohere.com/reference/list-models
"""

from __future__ import annotations

from ..model_list import model_operation, models_operation

MODELS = models_operation(
    query=lambda request: {"page_size": "1000", **({"page_token": request.page} if request.page else {})},
    next_page=lambda body: body.get("next_page_token"),
)
MODEL = model_operation()
