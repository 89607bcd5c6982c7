"""`FakeProvider`: a provider of any manifest or dialect on a loopback port, with scripted responses, faults and delays."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from re import escape, search

from ..dialects.dialect import NAMES, find, path_of
from ..embedded.exchange import ServerRequest
from ..embedded.rules import rules_of
from ..embedded.service import error_response, respond, service_of
from ..registry.manifest import Manifest
from .faults import FAULTS, FaultOptions, deliver
from .script import Queue, Step, check_fault, fixed_response, fixed_vectors, scripted_error
from .server import Exchange, LoopbackServer, RecordedRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from re import Pattern
    from ssl import SSLContext
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from ..client import AiClient
    from ..embedded.exchange import Rules, ServerResponse
    from ..embedded.service import Model
    from ..types.response import Usage
    from .script import ScriptedCall


class FakeProvider:
    """A provider on 127.0.0.1 that follows its manifest: paths, auth header, constant headers, body.

    `provider` is a provider's id, one of the seven dialects, or a manifest. Responses come from `reply`, `fail` and `fault`, in
    the order of these calls, then from `script`, a function of the chat request, or from the echo. With `strict`, what the
    real service rejects is rejected with the service's own error; without it, every request has a response. `fields` are fields
    of the body that the provider supports although neither its dialect nor its manifest has them.
    """

    def __init__(
        self,
        provider: str | Mapping[str, Any] | Manifest = "openai",
        *,
        script: Model | None = None,
        strict: bool = True,
        api_key: str = "test-key",
        fields: Iterable[str] = (),
        tls: bool | SSLContext = False,
    ) -> None:
        self.manifest = _manifest_of(provider)
        self._is_dialect = provider in NAMES
        self.api_key = api_key
        self.requests: list[RecordedRequest] = []
        self.ca_bundle: str | None = None
        self._model = script
        self._strict = strict
        self._fields = frozenset(fields)
        self._tls = tls
        self._queue = Queue()
        self._delay = (0.0, 0.0)
        self._lock = threading.Lock()
        self._services: dict[str, list[Rules]] = {}
        self._server: LoopbackServer | None = None
        self._clients: list[AiClient] = []

    # its address

    def __enter__(self) -> Self:
        self._server = LoopbackServer(self._respond, self._context())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the clients made here and stops serving, also where a fault or a delay is waiting."""
        while self._clients:
            self._clients.pop().close()
        if self._server is not None:
            self._server.stop()
        if self.ca_bundle is not None:
            os.unlink(self.ca_bundle)
            self.ca_bundle = None

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("the fake provider is not running: use it as `with FakeProvider(…) as fake:`")
        return self._server.port

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`"""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """The URL with the path of the provider's own base URL."""
        return self.url + _prefix(self.manifest)

    @property
    def connections(self) -> int:
        """The number of connections so far."""
        return self._server.connections if self._server else 0

    def client(self, model: str | None = None, **options: Any) -> AiClient:
        """An `AiClient` for this provider; `close` closes it. `options` are AiClient's."""
        from ..client import AiClient, ClientDefaults, replace_defaults

        manifest = self.manifest.for_model(model or "echo", options.get("dialect"))
        defaults: dict[str, Any] = {
            "api_key": self.api_key,
            "base_url": self.url + _prefix(manifest),
            "manifest": self.manifest,
            "variables": _variables(self.manifest),
        }
        if self.ca_bundle is not None:
            defaults["ca_bundle"] = self.ca_bundle
        before = replace_defaults(ClientDefaults())  # this client uses the network, also inside `offline()`
        try:
            client = AiClient(f"{self.manifest.id}/{model or 'echo'}", **{**defaults, **options})
        finally:
            replace_defaults(before)
        self._clients.append(client)
        return client

    # its responses

    def reply(
        self,
        text: str = "",
        *,
        thinking: str = "",
        tool_calls: Sequence[ScriptedCall] = (),
        finish_reason: str | None = None,
        usage: Usage | Mapping[str, int] | None = None,
        refusal: str | None = None,
        vectors: Sequence[Sequence[float]] | None = None,
        times: int = 1,
    ) -> None:
        """Queues the response to a chat, or with `vectors` to an embedding.

        `tool_calls` are `ToolCall`s or (name, arguments); `finish_reason` is a normalized one, or the provider's own; `usage`
        is a `Usage` or its numbers by name.
        """
        if vectors is not None:
            self._queue.add(Step(times, "embeddings", fixed_vectors(vectors)))
            return
        model = fixed_response(
            text, thinking=thinking, tool_calls=tool_calls, finish_reason=finish_reason, usage=usage, refusal=refusal
        )
        self._queue.add(Step(times, "chat", model))

    def fail(
        self,
        status: int = 500,
        *,
        code: str | None = None,
        type: str | None = None,
        message: str | None = None,
        retry_after: float | str | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        times: int = 1,
    ) -> None:
        """Queues an error response in the provider's own format, or exactly `body` (JSON, text or bytes).

        `code` is the provider's own, or a standard name (`quota_exhausted`), for which the provider's own words are used.
        """
        extra = dict(headers or {})
        if retry_after is not None:
            extra["retry-after"] = str(retry_after)
        self._queue.add(Step(times, error=scripted_error(status, code, type, message), headers=extra, body=body))

    def fault(self, name: str, *, times: int = 1, text: str | None = None, **options: Any) -> None:
        """Queues a response with this fault (a name in `testing.FAULTS`); `text` is the text of a chat response without it.

        Options: `after` (events that arrive first), `seconds`, `pause`, and for errors `kind` and `message`.
        """
        FaultOptions("", **options)  # an unknown option fails here, not in the server's thread
        model = fixed_response(text) if text is not None else None
        step = Step(times, "chat" if model else None, model, fault=check_fault(name), options=options)
        self._queue.add(step)

    def delay(self, *, first_byte: float = 0.0, between_events: float = 0.0) -> None:
        """Delays every later response, in seconds: before its head, and after each event of a stream."""
        self._delay = (first_byte, between_events)

    @property
    def unused(self) -> int:
        """The number of queued responses that are left."""
        return len(self._queue)

    # serving

    def _respond(self, exchange: Exchange) -> None:
        request = exchange.request
        with self._lock:
            self.requests.append(request)
        path, _, query = request.target.partition("?")
        received = ServerRequest(request.method, path, query, request.headers, request.body)
        rules = self._rules(received)
        first_byte, between = self._delay
        step = self._queue.take(rules.operation)
        response = self._response(received, rules, step)
        exchange.sleep(first_byte)
        if step is not None and step.fault is not None and response.status < 400:
            FAULTS[step.fault](exchange, response, FaultOptions(rules.dialect, **step.options))
        else:
            deliver(exchange, response, between)

    def _response(self, received: ServerRequest, rules: Rules, step: Step | None) -> ServerResponse:
        model = self._model if rules.operation == "chat" else None
        if step is None:
            return respond(received, rules, model)
        if step.error is not None:
            response = error_response(step.error, received, rules.dialect)
            if step.body is not None:
                response.chunks = [_bytes(step.body)]
            response.headers.update(step.headers)
            return response
        response = respond(received, rules, step.model or model)
        if response.status >= 400:
            self._queue.put_back(step)
        return response

    def _rules(self, received: ServerRequest) -> Rules:
        """The rules of the operation with this path; if there is none, those of chat in the provider's first dialect."""
        model = _model_of(received)
        with self._lock:
            services = self._services.get(model)
            if services is None:
                services = self._services[model] = self._make_rules(model)
        target = f"{received.path}?{received.query}" if received.query else received.path
        return next((rules for rules in services if any(p.fullmatch(target) for p in rules.targets)), services[0])

    def _make_rules(self, model: str) -> list[Rules]:
        """Rules for chat in each dialect, the model's own first, and for each other operation."""
        names = dict.fromkeys((self.manifest.for_model(model).dialect, self.manifest.dialect, *self.manifest.dialects))
        parts = [("chat", self.manifest.for_model(model, name)) for name in names]
        parts += [(name, self.manifest.for_operation(name, model)) for name in self.manifest.operations]
        made = []
        for operation, manifest in parts:
            rules = rules_of(
                manifest,
                model,
                operation=operation,
                key=self.api_key,
                targets=_targets(operation, manifest),
                strict=self._strict,
                shows_thinking=self._is_dialect,
            )
            made.append(replace(rules, fields=rules.fields | self._fields))
        return made

    def _context(self) -> SSLContext | None:
        if self._tls is True:
            import ssl

            from .certificate import write_pem

            self.ca_bundle = write_pem()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.ca_bundle)
            return context
        return self._tls or None


def _manifest_of(provider: str | Mapping[str, Any] | Manifest) -> Manifest:
    """The manifest of a provider; for a dialect, that of the embedded provider in this dialect, with a key."""
    if isinstance(provider, Manifest):
        return provider
    if not isinstance(provider, str):
        return Manifest.from_dict(provider)
    if provider in NAMES:
        manifest = Manifest.load("embedded").for_dialect(provider)
        return replace(manifest, auth=service_of(provider).auth, dialects={})
    return Manifest.load(provider)


def _variables(manifest: Manifest) -> dict[str, str]:
    """A value for each variable of the manifest: its default, or `test` in the required form."""
    return {
        name: str(spec.get("default") or (spec.get("allowed") or ["*"])[0].replace("*", "test"))
        for name, spec in manifest.variables.items()
    }


def _filled(template: str, manifest: Manifest) -> str:
    for name, value in _variables(manifest).items():
        template = template.replace(f"{{{name}}}", value)
    return template


def _prefix(manifest: Manifest) -> str:
    """The path of the manifest's base URL."""
    found = search(r"^https?://[^/]+(/[^?]*)?", _filled(manifest.base_url, manifest))
    return (found[1] or "").rstrip("/") if found else "/v1"


def _targets(name: str, manifest: Manifest) -> tuple[Pattern[str], ...]:
    """The paths of the requests of an operation; `manifest` must be resolved for it."""
    from re import compile

    made = []
    operation = find(manifest.dialect).operations[name]
    for path in {path_of(operation, manifest), path_of(operation, manifest, stream=operation.stream is not None)}:
        template = escape(_prefix(manifest) + _filled(path, manifest))
        made.append(compile(template.replace(escape("{model}"), r"[^/?]+")))
    return tuple(made)


def _model_of(received: ServerRequest) -> str:
    """The model of a request, from its path or its body; "" if it has none."""
    import json
    from urllib.parse import unquote

    found = search(r"/(?:models?|deployments)/([^/:?]+)", received.path)
    if found:
        return unquote(found[1])
    try:
        body = json.loads(received.body)
    except ValueError:
        return ""
    names = [body.get(key) for key in ("model", "model_id")] if isinstance(body, dict) else []
    return next((name for name in names if isinstance(name, str)), "")


def _bytes(body: Any) -> bytes:
    import json

    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()
