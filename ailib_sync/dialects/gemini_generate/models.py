"""Models in Gemini's format: `GET /models`, `GET /models/{model}`. The last page has no token.

https://ai.google.dev/api/models
"""

from __future__ import annotations

from ..model_list import model_operation, models_operation

MODELS = models_operation(
    query=lambda request: {"pageSize": "1000", **({"pageToken": request.page} if request.page else {})},
    next_page=lambda body: body.get("nextPageToken"),
)
MODEL = model_operation()
