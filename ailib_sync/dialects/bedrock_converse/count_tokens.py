"""Token counts of Bedrock: `POST /model/{model}/count-tokens`, with the body of a Converse request.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
"""

from __future__ import annotations

from ..dialect import Operation
from ..token_count import chosen, read_count
from .options import PARAMETERS, render_body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...registry.manifest import Manifest
    from ...types.request import ChatRequest, Ledger
    from ...types.token_count import TokenCount
    from ..dialect import Received

FIELDS = frozenset(("messages", "system", "toolConfig", "additionalModelRequestFields"))
#: The prefixes of inference profiles: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
PROFILES = ("us.", "eu.", "apac.", "jp.", "au.", "ca.", "us-gov.", "global.")


def foundation_model(model: str) -> str:
    """The model of an inference profile. The service counts for the model itself and rejects the id of a profile."""
    return next((model.removeprefix(prefix) for prefix in PROFILES if model.startswith(prefix)), model)


def render_count(request: ChatRequest, manifest: Manifest, ledger: Ledger) -> dict[str, Any]:
    return {"input": {"converse": chosen(render_body(request, manifest, ledger), FIELDS)}}


def parse_count(received: Received, manifest: Manifest) -> TokenCount:
    body = received.body
    return read_count(body.get("inputTokens") if isinstance(body, dict) else None, manifest, body)


COUNT_TOKENS = Operation(
    "count_tokens", render_count, parse_count, PARAMETERS, "/model/{model}/count-tokens", model_in_path=foundation_model
)
