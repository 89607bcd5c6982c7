"""`FakeProvider`: a provider of any manifest or dialect on a loopback port, with scripted responses, faults and delays."""

from __future__ import annotations

import os
import threading

from ..dialects.dialect import NAMES
from ..embedded.exchange import ServerRequest
from ..embedded.service import error_response, respond
from .faults import FAULTS, FaultOptions, deliver
from .routes import Routes, base_path, manifest_of, variables_of
from .script import Queue, Step, check_fault, fixed_response, fixed_vectors, scripted_error
from .server import Exchange, LoopbackServer, RecordedRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from ssl import SSLContext
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from ..client import AiClient
    from ..embedded.exchange import Rules, ServerResponse
    from ..embedded.service import Model
    from ..registry.manifest import Manifest
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
        models: Iterable[str] | None = None,
        page_size: int | None = None,
        tls: bool | SSLContext = False,
    ) -> None:
        self.manifest = manifest_of(provider)
        self.api_key = api_key
        self.requests: list[RecordedRequest] = []
        self.ca_bundle: str | None = None
        self._model = script
        self._routes = Routes(
            self.manifest,
            api_key,
            strict,
            frozenset(fields),
            models=None if models is None else tuple(models),
            page_size=page_size,
            shows_thinking=provider in NAMES,
        )
        self._tls = tls
        self._queue = Queue()
        self._delay = (0.0, 0.0)
        self._lock = threading.Lock()
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
        return self.url + base_path(self.manifest)

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
            "base_url": self.url + base_path(manifest),
            "manifest": self.manifest,
            "variables": variables_of(self.manifest),
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
        rules = self._routes.find(received)
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

    def _context(self) -> SSLContext | None:
        if self._tls is True:
            import ssl

            from .certificate import write_pem

            self.ca_bundle = write_pem()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.ca_bundle)
            return context
        return self._tls or None


def _bytes(body: Any) -> bytes:
    import json

    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()
