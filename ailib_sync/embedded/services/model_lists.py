"""Lists of models, the server's side: the format of each service. The models are those of the rules, or `echo` alone."""

from __future__ import annotations

from re import compile
from urllib.parse import parse_qsl

from ...registry.listing import ModelList, ModelListRequest
from ...registry.models import ModelInfo
from ..exchange import EmbeddedModel, Rejected, ServiceOperation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ...types.response import Usage
    from ..exchange import Rules, ServerRequest

    Item = Callable[[ModelInfo], dict[str, Any]]

CREATED = 1_764_000_000


def respond(request: ModelListRequest, digest: str) -> ModelList:
    """The models that the request asks for. `extra` has the names of all (None: every name is a model), and the number on a
    page."""
    from ...types.response import Usage

    known = request.extra.get("names")
    if request.model and known is not None and request.model not in known:
        raise Rejected(request.model, "not_found", param="model")
    names: tuple[str, ...] = (request.model,) if request.model else tuple(known or ("echo",))
    start = names.index(request.page) + 1 if request.page in names else 0
    page = names[start : start + request.extra.get("size", 1000)]
    more = start + len(page) < len(names)
    models = [ModelInfo("embedded", name, name, 128_000, 4096, created=CREATED, owner="embedded") for name in page]
    return ModelList(models, next_page=page[-1] if more else None, usage=Usage(0, None, 0))


def _no_usage(request: ModelListRequest, response: ModelList) -> Usage:
    return response.usage


MODEL_LIST = EmbeddedModel(respond, _no_usage, lambda text: ModelListRequest())


def list_operation(
    path: str, parameters: Mapping[str, str], write: Callable[[ModelList], Any], largest: int = 1000
) -> ServiceOperation:
    """The list of models at this path. `parameters`: the names in the query of `size` and `page`, where there are pages."""

    def check(received: ServerRequest, body: dict[str, Any], rules: Rules) -> None:
        for name, value in parse_qsl(received.query, keep_blank_values=True):
            if name not in parameters.values():
                raise Rejected(f"Unknown query parameter: '{name}'.", param=name)
            if name == parameters.get("size") and not (value.isdigit() and 1 <= int(value) <= largest):
                raise Rejected(f"{name} must be between 1 and {largest}.", param=name)

    def read(received: ServerRequest, body: dict[str, Any], rules: Rules) -> ModelListRequest:
        query = dict(parse_qsl(received.query))
        size = query.get(parameters.get("size", ""), str(largest))
        page = query.get(parameters.get("page", ""))
        return ModelListRequest("", page, {"names": rules.models, "size": min(int(size), rules.page_size or largest)})

    return ServiceOperation(compile(path), check, read, lambda request, response, rules: write(response), method="GET")


def one_operation(path: str, write: Callable[[ModelInfo], Any]) -> ServiceOperation:
    """One model, named in the path."""
    pattern = compile(path)

    def read(received: ServerRequest, body: dict[str, Any], rules: Rules) -> ModelListRequest:
        from urllib.parse import unquote

        found = pattern.search(received.path)
        assert found is not None
        return ModelListRequest(unquote(found["model"]), None, {"names": rules.models})

    def write_one(request: ModelListRequest, response: ModelList, rules: Rules) -> Any:
        return write(response.models[0])

    return ServiceOperation(pattern, lambda received, body, rules: None, read, write_one, method="GET")
