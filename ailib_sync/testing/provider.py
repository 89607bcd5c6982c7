"""`FakeProvider`: a provider of any manifest or dialect on a loopback port, with scripted answers, faults and delays."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from re import escape, search

from ..dialects.dialect import NAMES, find, path_of
from ..embedded.echo import reply as echo
from ..embedded.exchange import Reply, Rules, ServerCall
from ..embedded.rules import rules_of
from ..embedded.service import answer, refusal, speaker_of
from ..registry.manifest import Manifest
from .faults import FAULTS, Trouble, deliver
from .script import Queue, Step, checked_fault, refused, said
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
    from ..embedded.service import Model
    from ..types.response import Usage
    from .script import Called


class FakeProvider:
    """A provider on 127.0.0.1 that behaves as its manifest says: path, auth header, constant headers, body.

    `provider` is a provider's id, one of the seven dialects, or a manifest. Answers come from the script (`reply`, `fail`,
    `fault`, in the order they were queued), then from `script`, a function of the request, or the echo model. With `strict`
    what the real service would refuse is refused with its own error; without it, any request at all is answered. `fields` are
    fields of the body that the provider takes though neither its dialect nor its manifest names them.
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
        self._model: Model = script or echo
        self._strict = strict
        self._fields = frozenset(fields)
        self._tls = tls
        self._queue = Queue()
        self._delay = (0.0, 0.0)
        self._lock = threading.Lock()
        self._services: dict[str, list[Rules]] = {}
        self._server: LoopbackServer | None = None
        self._clients: list[AiClient] = []

    # where it is

    def __enter__(self) -> Self:
        self._server = LoopbackServer(self._answer, self._context())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the clients made here and stops serving. Threads that wait in a fault or a delay are woken."""
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
        """The address with the path prefix of the provider's own base URL."""
        return self.url + _prefix(self.manifest)

    @property
    def connections(self) -> int:
        """How many connections were accepted so far."""
        return self._server.connections if self._server else 0

    def client(self, model: str | None = None, **options: Any) -> AiClient:
        """An `AiClient` of this provider, pointed here, closed with it. `options` are AiClient's."""
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
        before = replace_defaults(ClientDefaults())  # the network is this one's own, also inside `offline()`
        try:
            client = AiClient(f"{self.manifest.id}/{model or 'echo'}", **{**defaults, **options})
        finally:
            replace_defaults(before)
        self._clients.append(client)
        return client

    # what it answers

    def reply(
        self,
        text: str = "",
        *,
        thinking: str = "",
        tool_calls: Sequence[Called] = (),
        finish_reason: str | None = None,
        usage: Usage | Mapping[str, int] | None = None,
        refusal: str | None = None,
        times: int = 1,
    ) -> None:
        """Queues an answer. `tool_calls` are `ToolCall`s or (name, arguments); `finish_reason` is a normalised one, or the
        provider's own; `usage` a `Usage` or its figures by name."""
        model = said(text, thinking=thinking, tool_calls=tool_calls, finish_reason=finish_reason, usage=usage, refusal=refusal)
        self._queue.add(Step(times, model))

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
        """Queues a refusal in the provider's own error format, or with `body` (JSON, text or bytes) as it stands.

        `code` is the provider's own, or a standard name (`quota_exhausted`) for which the provider's words are used.
        """
        extra = dict(headers or {})
        if retry_after is not None:
            extra["retry-after"] = str(retry_after)
        self._queue.add(Step(times, refusal=refused(status, code, type, message), headers=extra, body=body))

    def fault(self, name: str, *, times: int = 1, text: str | None = None, **options: Any) -> None:
        """Queues an answer that goes wrong in the way of this name (`testing.FAULTS`); `text` is what it would have said.

        Options: `after` (events that arrive first), `seconds`, `pause`, and for errors `kind` and `message`.
        """
        Trouble("", **options)  # an unknown option fails here, not in the server's thread
        model = said(text) if text is not None else None
        self._queue.add(Step(times, model, fault=checked_fault(name), options=options))

    def delay(self, *, first_byte: float = 0.0, between_events: float = 0.0) -> None:
        """Makes every answer from now on wait: before its head, and behind each event of a stream. In seconds."""
        self._delay = (first_byte, between_events)

    @property
    def unused(self) -> int:
        """How many queued answers were not asked for yet."""
        return len(self._queue)

    # serving

    def _answer(self, exchange: Exchange) -> None:
        request = exchange.request
        with self._lock:
            self.requests.append(request)
        path, _, query = request.target.partition("?")
        call = ServerCall(request.method, path, query, request.headers, request.body)
        rules = self._rules(call)
        first_byte, between = self._delay
        step = self._queue.take()
        reply = self._reply(call, rules, step)
        exchange.sleep(first_byte)
        if step is not None and step.fault is not None and reply.status < 400:
            FAULTS[step.fault](exchange, reply, Trouble(rules.dialect, **step.options))
        else:
            deliver(exchange, reply, between)

    def _reply(self, call: ServerCall, rules: Rules, step: Step | None) -> Reply:
        if step is None:
            return answer(call, rules, self._model)
        if step.refusal is not None:
            reply = refusal(step.refusal, call, rules.dialect)
            if step.body is not None:
                reply.chunks = [_bytes(step.body)]
            reply.headers.update(step.headers)
            return reply
        reply = answer(call, rules, step.model or self._model)
        if reply.status >= 400:
            self._queue.give_back(step)
        return reply

    def _rules(self, call: ServerCall) -> Rules:
        """The rules of the service that this path belongs to; of the provider's first format where it belongs to none."""
        model = _model_of(call)
        with self._lock:
            services = self._services.get(model)
            if services is None:
                services = self._services[model] = self._make_rules(model)
        target = f"{call.path}?{call.query}" if call.query else call.path
        return next((rules for rules in services if any(p.fullmatch(target) for p in rules.targets)), services[0])

    def _make_rules(self, model: str) -> list[Rules]:
        """One for each dialect of the chat, the model's own first, and one for each other operation."""
        names = dict.fromkeys((self.manifest.for_model(model).dialect, self.manifest.dialect, *self.manifest.dialects))
        parts = [("chat", self.manifest.for_model(model, name)) for name in names]
        parts += [(name, self.manifest.for_operation(name, model)) for name in self.manifest.operations]
        made = []
        for operation, manifest in parts:
            rules = rules_of(
                manifest,
                model,
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
    """A provider's manifest; for a dialect's name, the embedded provider's in that dialect, with a key."""
    if isinstance(provider, Manifest):
        return provider
    if not isinstance(provider, str):
        return Manifest.from_dict(provider)
    if provider in NAMES:
        manifest = Manifest.load("embedded").for_dialect(provider)
        return replace(manifest, auth=speaker_of(provider).auth, dialects={})
    return Manifest.load(provider)


def _variables(manifest: Manifest) -> dict[str, str]:
    """A value for each of the manifest's variables: its default, or `test`, in the form it must have."""
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
    """The paths of the requests of an operation; `manifest` is the one resolved for it."""
    from re import compile

    made = []
    operation = find(manifest.dialect).operations[name]
    for path in {path_of(operation, manifest), path_of(operation, manifest, stream=operation.stream is not None)}:
        template = escape(_prefix(manifest) + _filled(path, manifest))
        made.append(compile(template.replace(escape("{model}"), r"[^/?]+")))
    return tuple(made)


def _model_of(call: ServerCall) -> str:
    """The model a request names, in its path or its body; "" where it names none."""
    import json
    from urllib.parse import unquote

    found = search(r"/(?:models?|deployments)/([^/:?]+)", call.path)
    if found:
        return unquote(found[1])
    try:
        body = json.loads(call.body)
    except ValueError:
        return ""
    names = [body.get(key) for key in ("model", "model_id")] if isinstance(body, dict) else []
    return next((name for name in names if isinstance(name, str)), "")


def _bytes(body: Any) -> bytes:
    import json

    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()
