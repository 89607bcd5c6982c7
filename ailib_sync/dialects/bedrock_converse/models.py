"""Models of Bedrock: `GET /foundation-models`, at another host than chats.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html
"""

from __future__ import annotations

from ..model_list import model_operation, models_operation

MODELS = models_operation("/foundation-models")
MODEL = model_operation("/foundation-models/{model}", inside="modelDetails")
