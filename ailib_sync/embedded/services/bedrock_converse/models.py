"""Bedrock's models, the server's side.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html
"""

from __future__ import annotations

from ..model_lists import list_operation, one_operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....registry.models import ModelInfo


def write_model(model: ModelInfo) -> dict[str, Any]:
    return {
        "modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{model.id}",
        "modelId": model.id,
        "modelName": model.name,
        "providerName": model.owner,
        "inputModalities": ["TEXT", "IMAGE"],
        "outputModalities": ["TEXT"],
        "inferenceTypesSupported": ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE"},
        "responseStreamingSupported": True,
    }


MODELS = list_operation(r"/foundation-models$", {}, lambda page: {"modelSummaries": [*map(write_model, page.models)]})
MODEL = one_operation(r"/foundation-models/(?P<model>[^/]+)$", lambda model: {"modelDetails": write_model(model)})
