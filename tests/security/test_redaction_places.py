"""A key that a service repeats in any place of its response, whole or in part: it is nowhere in the error."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from time import monotonic
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ailib_sync import AiClient, AiLibError, Limits, QuotaExhausted, RemoteError
from ailib_sync.dialects.dialect import NAMES
from ailib_sync.embedded.frames import aws_event
from ailib_sync.errors import ConfigurationError, ProxyError
from ailib_sync.http.redaction import redact
from ailib_sync.http.secret_headers import REDACTED, is_secret, secrets_in
from ailib_sync.testing import FakeProvider

from .. import wire
from ..local_server import LocalServer, replies
from ..time_limits import scaled
from .exposure import KEY, PASSWORD, caught, leaks, no_part_shows, shown

BOTH_WAYS = pytest.mark.parametrize("stream", [False, True], ids=["complete", "streamed"])


def failure_of(chat: Any, stream: bool) -> Any:
    error = caught(lambda: chat.stream().collect() if stream else chat.execute())
    assert isinstance(error, AiLibError), repr(error)
    return error


def failure_from(response: bytes, stream: bool, model: str = "openai/m", **options: Any) -> Any:
    """The error of a call that gets this response."""
    with LocalServer(replies(response)) as server:
        client = AiClient(model, base_url=server.url, retry=0, timeout=scaled(5), **{"api_key": lambda: KEY, **options})
        error = failure_of(client.chat().user("Hi"), stream)
        client.close()
        assert KEY.encode() in server.requests[0].raw  # it was sent, so it could have been shown
    return error


def response(status: int, body: bytes | str | dict[str, Any] = b"", /, **headers: str) -> bytes:
    return wire.reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()}, close=True)


def chunked(*chunks: bytes, kind: str = "text/event-stream") -> bytes:
    return wire.head(200, {"Content-Type": kind, "Transfer-Encoding": "chunked"}) + b"".join(chunks)


def filled(length: int) -> str:
    """The key after so many other characters."""
    return "x" * length + KEY


# where a key is cut

#: Places in a response → the number of characters before which something there is cut.
PLACES: dict[str, tuple[Callable[[int], bytes], int]] = {
    "message": (lambda n: response(400, wire.error_body(filled(n))), 2000),
    "message with control characters": (lambda n: response(400, wire.error_body("\x07" * (n // 4) + KEY)), 2000),
    "message of an error with status 200": (lambda n: response(200, wire.error_body(filled(n))), 2000),
    "body": (lambda n: response(400, {"a": filled(n - 7)}), 65536),
    "body that is not JSON": (lambda n: response(400, filled(n)), 65536),
    "body with status 200 that is not JSON": (lambda n: response(200, filled(n), content_type="application/json"), 65536),
    "body with status 200 of another shape": (lambda n: response(200, {"a": filled(n - 7)}), 65536),
    "HTML with status 200": (lambda n: response(200, filled(n), content_type="text/html"), 65536),
    "request id": (lambda n: response(400, wire.error_body(), x_request_id=filled(n)), 200),
    "error type in a header": (lambda n: response(400, "{}", x_amzn_errortype=filled(n)), 100),
    "content type": (lambda n: response(200, "no", content_type="text/" + filled(n)), 2000),
    "status line": (lambda n: filled(n).encode() + b" 200\r\n\r\n", 300),
    "content encoding": (lambda n: response(200, "no", content_encoding=filled(n)), 2000),
    "transfer encoding": (lambda n: response(200, "no", transfer_encoding=filled(n)), 60),
    "content length": (lambda n: wire.head(200, {"Content-Length": "5, " + filled(n)}) + b"12345", 100),
    "chunk size": (lambda n: chunked(filled(n).encode() + b"\r\n"), 40),
    "redirect": (lambda n: response(307, "", location="https://elsewhere.example/" + filled(n)), 100),
    "cookie": (lambda n: response(401, wire.error_body(), set_cookie="k=" + filled(n)), 100),
    "event that is not JSON": (lambda n: chunked(wire.chunk(b"data: {" + filled(n).encode() + b"\n\n")), 65536),
    "event of another shape": (lambda n: chunked(wire.chunk(wire.event({"choices": filled(n)}))), 65536),
    "error event": (lambda n: chunked(wire.chunk(wire.event(wire.error_body(filled(n))))), 2000),
}


@BOTH_WAYS
@pytest.mark.parametrize("place", PLACES)
def test_no_part_of_a_key_shows_around_a_cut(place: str, stream: bool) -> None:
    make, limit = PLACES[place]
    for length in (0, limit - len(KEY) - 4, limit - len(KEY), limit - 30, limit - 20, limit - 12, limit - 1, limit + 1):
        no_part_shows(failure_from(make(length), stream), KEY)


@BOTH_WAYS
@pytest.mark.parametrize("status", [200, 400])
def test_a_text_is_cut_after_the_key_is_removed(status: int, stream: bool) -> None:
    """A key at the cut costs no more of the text than its replacement does."""
    longest = "x" * (2000 - len(REDACTED))
    error = failure_from(response(status, wire.error_body(longest + KEY)), stream)
    assert error.message == longest + REDACTED
    assert failure_from(response(status, wire.error_body(longest + KEY + "y")), stream).message.startswith(longest + "<red")


@BOTH_WAYS
@pytest.mark.parametrize("length", range(1000 - len(KEY), 1000, 5))
def test_limits_error_body_cuts_after_the_key_is_removed(length: int, stream: bool) -> None:
    error = failure_from(response(400, filled(length)), stream, limits=Limits(error_body=1000))
    no_part_shows(error, KEY)
    assert len(error.body) <= 1000 + len(REDACTED)


@BOTH_WAYS
@pytest.mark.parametrize("kept", range(len("sk-") + 8, len(KEY), 4))
@pytest.mark.parametrize("status", [200, 400])
def test_a_service_that_cuts_the_key_itself(status: int, kept: int, stream: bool) -> None:
    """In the middle of its text, at its end, and by closing the connection in the middle of the body."""
    part = KEY[:kept]
    for body in (f"your key {part}", f'{{"error": {{"message": "your key {part}…"}}}}', f'{{"error": "{part}'):
        no_part_shows(failure_from(response(status, body, content_type="application/json"), stream), KEY)
    cut = wire.head(status, {"Content-Type": "application/json", "Content-Length": "900"}) + f'{{"error": "{part}'.encode()
    no_part_shows(failure_from(cut, stream), KEY)


@BOTH_WAYS
@pytest.mark.parametrize("status", [200, 400])
def test_what_is_far_behind_every_cut_is_in_no_frame(status: int, stream: bool) -> None:
    for body in (filled(200_000), json.dumps({"a": filled(200_000)}), json.dumps({"choices": [7, filled(100_000)]})):
        no_part_shows(failure_from(response(status, body, content_type="application/json"), stream), KEY)


# every format


@pytest.fixture(params=NAMES)
def fake(request: pytest.FixtureRequest) -> Any:
    with FakeProvider(request.param, api_key=KEY, strict=False) as provider:
        yield provider


@pytest.mark.parametrize("length", [0, 1970, 1980, 1990, 65500])
@pytest.mark.parametrize("after", [0, 2], ids=["first", "later"])
def test_an_error_event_in_every_format(fake: FakeProvider, after: int, length: int) -> None:
    fake.fault("error_event", after=after, message=filled(length))
    error = failure_of(fake.client(retry=0).chat().user("Hi"), stream=True)
    assert isinstance(error, RemoteError)
    no_part_shows(error, KEY)


@BOTH_WAYS
@pytest.mark.parametrize("length", [0, 1980, 65500])
@pytest.mark.parametrize("fault", ["error_with_status_200"])
def test_an_error_with_status_200_in_every_format(fake: FakeProvider, fault: str, length: int, stream: bool) -> None:
    fake.fault(fault, message=filled(length))
    no_part_shows(failure_of(fake.client(retry=0).chat().user("Hi"), stream), KEY)


@BOTH_WAYS
@pytest.mark.parametrize("body", [{"a": KEY}, [KEY], KEY, {"error": KEY}, {"message": KEY}, {"choices": KEY, "content": KEY}])
@pytest.mark.parametrize("status", [200, 400])
def test_any_body_in_every_format(fake: FakeProvider, status: int, body: Any, stream: bool) -> None:
    fake.fail(status, body=json.dumps(body))
    no_part_shows(failure_of(fake.client(retry=0).chat().user("Hi"), stream), KEY)


@pytest.mark.parametrize("kind", ["event", "exception", "error", KEY])
@pytest.mark.parametrize("name", ["messageStart", "contentBlockDelta", KEY])
def test_a_key_in_an_aws_event(kind: str, name: str) -> None:
    event = aws_event(name, {"message": KEY, "delta": KEY}, kind)
    body = chunked(wire.chunk(event), wire.LAST_CHUNK, kind="application/vnd.amazon.eventstream")
    error = failure_from(body, True, "bedrock/m", variables={"region": "eu-west-1"})
    no_part_shows(error, KEY)


# a key that is short, or a word of the format


@BOTH_WAYS
@pytest.mark.parametrize("key", ["error", "null", "true", "message", "type", "code", "1234", "none", "test", "x"])
def test_a_short_key_does_not_change_what_is_read(key: str, stream: bool) -> None:
    body = {"error": {"message": f"wrong key {key}, latest", "code": "insufficient_quota", "type": None, "param": 1234}}
    with FakeProvider("openai", api_key=key) as provider:
        provider.fail(429, body=body)
        error = failure_of(provider.client(retry=0).chat().user("Hi"), stream)
    assert isinstance(error, QuotaExhausted)
    assert error.message == f"wrong key {key if len(key) < 4 else REDACTED}, latest"
    assert error.error_code == "insufficient_quota"


# the forms of a key

FORMS: list[Callable[[str], str]] = [
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    lambda text: "".join(f"\\u{ord(c):04X}" if c in "<>&'" else c for c in json.dumps(text)[1:-1]),
    lambda text: quote(text, safe=""),
    lambda text: "".join(f"%{ord(c):02x}" for c in text),
    html.escape,
    lambda text: "".join(f"&#{ord(c)};" for c in text),
    lambda text: "".join(f"&#x{ord(c):X};" for c in text),
    lambda text: repr(text)[1:-1],
]
KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60)


@settings(max_examples=300)
@given(KEYS, st.lists(st.sampled_from(FORMS), max_size=3))
def test_escapes_inside_one_another_hide_nothing(key: str, forms: list[Callable[[str], str]]) -> None:
    written = key
    for form in forms:
        written = form(written)
    assert redact(f"before {written} after", [key]) == f"before {REDACTED} after"


@settings(max_examples=300)
@given(KEYS, st.lists(st.sampled_from(FORMS), max_size=2), st.integers(8, 60))
def test_a_cut_inside_an_escape_hides_nothing(key: str, forms: list[Callable[[str], str]], length: int) -> None:
    written = key
    for form in forms:
        written = form(written)
    kept = written[:length]
    clean = redact(f"before {kept}", [key])
    assert not clean.endswith(key[:8])
    assert clean == f"before {kept}" or clean.startswith(f"before {REDACTED}")


@settings(max_examples=300)
@given(st.text(max_size=200), KEYS)
def test_other_text_stays_as_it_is(text: str, key: str) -> None:
    assume(key[:8] not in text)
    if "\\" not in text and "%" not in text and "&" not in text:
        assert redact(text, [key]) == text


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "Bearer ", "user:"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_base64_of_a_key_is_removed(before: str, encode: Callable[[bytes], bytes]) -> None:
    key = "sk-0>?~~>>??abcdefghijklmnop"
    written = encode(f"{before}{key}after".encode()).decode()
    clean = redact(f"the header was {written}.", [key])
    assert REDACTED in clean
    whole = encode(key.encode()).decode()
    assert not any(whole[at : at + 8] in clean for at in range(len(whole) - 8))


def test_no_text_takes_long() -> None:
    key = "sk-" + "0123456789abcdef" * 500
    started = monotonic()
    for text in ("…" * 65000, "\\u0041" * 10000, key[:15] * 4000, "%20" * 20000, key * 8):
        redact(text, [key])
    assert monotonic() - started < scaled(1)


# which values are secrets


@pytest.mark.parametrize(
    "name",
    [
        "Authorization", "Proxy-Authorization", "x-api-key", "api_key", "X-Auth", "Helicone-Auth", "X-Auth-Token", "cookie",
        "X-Credential", "X-Gateway-Pass", "X-Password", "X-Client-Secret", "X-JWT", "X-Amz-Security-Token", "X-Signature",
        "Ocp-Apim-Subscription-Key", "cf-aig-authorization", "X-Bearer", "X-OAuth", "Authentication", "xAuth",
    ],
)  # fmt: skip
def test_headers_that_may_hold_a_key(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    ["Idempotency-Key", "X-Author", "User-Agent", "X-Bypass-Cache", "X-Request-Id", "OpenAI-Organization", "anthropic-beta"],
)
def test_headers_that_hold_no_key(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("name", "value", "secrets"),
    [
        ("Authorization", "Bearer abc-123-def", {"abc-123-def"}),
        ("Authorization", "Token token=abc-123-def-456-ghi", {"abc-123-def-456-ghi"}),
        ("X-Key", "my pass phrase", {"my pass phrase"}),
        ("Cookie", "session=abcdefgh; theme=\"dark-blue\"", {"abcdefgh", "dark-blue"}),
        ("Authorization", "Basic " + b64encode(b"user:pass:word").decode(), {"user:pass:word", "pass:word"}),
    ],
)  # fmt: skip
def test_the_secrets_in_a_header(name: str, value: str, secrets: set[str]) -> None:
    assert secrets <= set(secrets_in(name, value))
    assert "Bearer" not in secrets_in(name, value)


def test_an_aws_signature_leaves_the_words_of_its_scheme_alone() -> None:
    value = (
        "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu/bedrock/aws4_request, SignedHeaders=content-type;host, Signature="
        + 64 * "a"
    )
    text = "AWS4-HMAC-SHA256 needs SignedHeaders=content-type;host and a content-type"
    assert redact(text, secrets_in("Authorization", value)) == text
    assert redact("a" * 64, secrets_in("Authorization", value)) == REDACTED


@BOTH_WAYS
def test_a_header_of_one_chat(stream: bool) -> None:
    with FakeProvider("openai") as provider:
        provider.fail(400, body={"error": {"message": f"no {KEY}"}})
        no_part_shows(failure_of(provider.client(retry=0).chat().user("Hi").header("X-Gateway-Pass", KEY), stream), KEY)


def test_a_key_that_is_behind_a_prefix_of_the_manifests() -> None:
    manifest = {
        "id": "own", "name": "Own", "dialect": "openai_chat", "base_url": "https://own.example/v1",
        "auth": {"scheme": "header", "header": "X-Gateway", "prefix": "v1:"},
    }  # fmt: skip
    with FakeProvider(manifest, api_key=KEY, strict=False) as provider:
        provider.fail(401, body={"error": {"message": f"no {KEY}"}})
        no_part_shows(failure_of(provider.client(retry=0).chat().user("Hi"), False), KEY)


# the password of a proxy or an address


@pytest.mark.parametrize("userinfo", [f"user:{PASSWORD}", f"us%65r:{PASSWORD}%40", f":{PASSWORD}", PASSWORD])
def test_a_proxy_that_repeats_its_password(userinfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reason = (
        f"no {PASSWORD} {b64encode(f'user:{PASSWORD}'.encode()).decode()} {b64encode(f'user:{PASSWORD}@'.encode()).decode()}"
    )
    with LocalServer(replies(f"HTTP/1.1 407 {reason}\r\nContent-Length: 0\r\n\r\n".encode())) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{userinfo}@127.0.0.1:{proxy.port}")
        for name in ("https_proxy", "NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        error = failure_of(AiClient("openai/m", api_key=lambda: KEY, retry=0).chat().user("Hi"), False)
    assert isinstance(error, ProxyError)
    assert leaks(shown(error), PASSWORD) == []
    assert b64encode(f"user:{PASSWORD}".encode()).decode()[:30] not in str(error)


ADDRESSES = {
    "plain": f"https://user:{PASSWORD}@host/v1",
    "number sign": f"https://user:{PASSWORD}#x@host/v1",
    "slash": f"https://user:{PASSWORD}/x@host/v1",
    "question mark": f"https://user:{PASSWORD}?x@host/v1",
    "space": f"https://user:{PASSWORD} x@host/v1",
    "not ASCII": f"https://user:{PASSWORD}\u00e9@host/v1",
    "upper case": f"HTTPS://user:{PASSWORD}@host/v1",
    "no scheme": f"user:{PASSWORD}@host/v1",
    "port": f"https://user:{PASSWORD}@host:99999999/v1",
    "line break": f"https://user:{PASSWORD}@host/v1\n",
    "relative": f"//user:{PASSWORD}@host/v1",
    "no host": f"https://user:{PASSWORD}@/v1",
    "no at sign": f"https://user:{PASSWORD}",
    "escaped at sign": f"https://user:{PASSWORD}%40host/v1",
    "two at signs": f"https://user:{PASSWORD}@x@host/v1",
    "variable": f"https://user:{PASSWORD}@{{region}}/v1",
    "plain http": f"http://user:{PASSWORD}@example.com/v1",
    "another scheme": f"ftp://user:{PASSWORD}@host/v1",
    "backslash": f"https:\\\\user:{PASSWORD}@host\\v1",
}


@pytest.mark.parametrize("make", [AiClient, AiClient.create], ids=["init", "create"])
@pytest.mark.parametrize("name", ADDRESSES)
def test_the_password_of_an_address_is_not_shown(name: str, make: Callable[..., AiClient]) -> None:
    error = caught(lambda: make("openai/m", api_key=lambda: KEY, base_url=ADDRESSES[name]))
    assert isinstance(error, ConfigurationError)
    assert leaks(shown(error), PASSWORD) == []
    assert "base_url" in str(error)


def test_the_password_in_a_variable_is_not_in_the_message() -> None:
    for value in (f"https://user:{PASSWORD}@x.cloud.databricks.com", f"user:{PASSWORD}%40x"):
        error = caught(lambda value=value: AiClient("databricks/m", api_key=lambda: KEY, variables={"host": value}))
        assert isinstance(error, ConfigurationError)
        assert PASSWORD not in str(error)
