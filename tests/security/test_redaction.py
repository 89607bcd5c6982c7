"""A key that a service repeats is nowhere in an error: every dialect, every place of a response, escaped, cut, streamed.

Turning `redact` or `redact_error` off makes these tests fail within seconds.
"""

from __future__ import annotations

import base64
import json
import pickle
import traceback
from typing import Any
from urllib.parse import quote

import pytest

from ailib_sync import AiLibError, CircuitBreaker, CircuitOpen, ProtocolError, RemoteError, RetryPolicy
from ailib_sync.dialects.dialect import NAMES
from ailib_sync.http.message import Headers
from ailib_sync.http.redaction import redact
from ailib_sync.http.secret_headers import REDACTED, secrets_in
from ailib_sync.testing import FakeProvider

KEY = "sk-CANARY/0123456789&abcdefghij+KLMNOP=="
NO_RETRY = RetryPolicy(0)


def failure(fake: FakeProvider, stream: bool, **options: Any) -> AiLibError:
    builder = fake.client(retry=NO_RETRY, **options).chat().user("Hi")
    with pytest.raises(AiLibError) as caught:
        builder.stream().collect() if stream else builder.execute()
    return caught.value


def shown(error: AiLibError) -> str:
    """Everything that a log, a traceback with values, or a result backend can show of an error."""
    lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    return "\n".join(
        [str(error), repr(error), repr(vars(error)), repr(error.args), *lines, repr(pickle.loads(pickle.dumps(error)).__dict__)]
    )


def forms(key: str) -> dict[str, str]:
    """The key as services and gateways write it into their texts."""
    return {
        "plain": key,
        "escaped slash": key.replace("/", "\\/"),
        "unicode escapes": "".join(f"\\u{ord(c):04X}" for c in key),
        "escaped ampersand": key.replace("&", "\\u0026"),
        "percent": quote(key, safe=""),
        "html": key.replace("&", "&#38;"),
    }


@pytest.fixture(params=NAMES)
def fake(request: pytest.FixtureRequest) -> Any:
    with FakeProvider(request.param, api_key=KEY, strict=False) as provider:
        yield provider


@pytest.mark.parametrize("stream", [False, True], ids=["complete", "streamed"])
@pytest.mark.parametrize("status", [400, 401, 500])
def test_an_error_body_and_header_that_repeat_the_key(fake: FakeProvider, status: int, stream: bool) -> None:
    names = ("x-request-id", "request-id", "x-echo", "www-authenticate", "set-cookie")
    fake.fail(
        status, body={"error": {"message": f"wrong key {KEY}", "type": KEY, "code": KEY}}, headers=dict.fromkeys(names, KEY)
    )
    error = failure(fake, stream)
    assert isinstance(error, RemoteError)
    assert KEY not in shown(error)
    assert error.body is not None
    assert REDACTED in error.body


@pytest.mark.parametrize("form", forms(KEY))
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/html"])
def test_a_key_in_another_form(form: str, content_type: str) -> None:
    with FakeProvider("openai", api_key=KEY) as fake:
        written = forms(KEY)[form]
        fake.fail(403, body='{"error": {"message": "key ' + written + ' is wrong"}}', headers={"content-type": content_type})
        error = failure(fake, stream=False)
    text = shown(error)
    assert KEY not in text
    assert written not in text
    assert KEY[3:] not in text


@pytest.mark.parametrize("offset", [*range(1940, 2010, 3)])
@pytest.mark.parametrize("status", [200, 400])
def test_a_key_is_removed_before_the_text_is_cut(offset: int, status: int) -> None:
    with FakeProvider("openai", api_key=KEY) as fake:
        fake.fail(status, body={"error": {"message": "x" * offset + KEY, "type": "server_error"}})
        text = shown(failure(fake, stream=False))
    assert not any(KEY[:length] in text for length in range(8, len(KEY) + 1))


@pytest.mark.parametrize("stream", [False, True], ids=["complete", "streamed"])
@pytest.mark.parametrize("body", ["<html>%s</html>", '{"a": "%s"', '{"choices": "%s"}', '{"error": {"message": "%s"}}', "%s"])
def test_a_success_status_with_something_else_in_it(body: str, stream: bool) -> None:
    with FakeProvider("openai", api_key=KEY) as fake:
        fake.fail(200, body=body % KEY, headers={"content-type": "application/json"})
        error = failure(fake, stream)
    assert isinstance(error, (ProtocolError, RemoteError))
    assert KEY not in shown(error)


@pytest.mark.parametrize("stream", [False, True], ids=["complete", "streamed"])
def test_a_breaker_does_not_repeat_the_key_of_another_call(stream: bool) -> None:
    breaker = CircuitBreaker(failures=1)
    with FakeProvider("openai", api_key=KEY) as fake:
        fake.fail(500, body={"error": {"message": f"no {KEY}"}})
        failure(fake, stream, breaker=breaker)
        error = failure(fake, stream, breaker=breaker)
    assert isinstance(error, CircuitOpen)
    assert f"no {REDACTED}" in error.message
    assert KEY not in shown(error)


@pytest.mark.parametrize("stream", [False, True], ids=["complete", "streamed"])
def test_on_retry_and_the_attempts_do_not_show_the_key(stream: bool) -> None:
    seen: list[str] = []
    with FakeProvider("openai", api_key=KEY) as fake:
        fake.fail(500, body={"error": {"message": f"no {KEY}"}}, times=2)
        client = fake.client(retry=RetryPolicy(1, base_delay=0.0), on_retry=lambda error, *_: seen.append(shown(error)))
        with pytest.raises(AiLibError) as caught:
            client.chat().user("Hi").stream() if stream else client.chat().user("Hi").execute()
    assert len(caught.value.attempts) == 2
    assert KEY not in shown(caught.value) + repr(caught.value.attempts) + "".join(seen)


@pytest.mark.parametrize("after", [0, 3])
def test_an_error_event_in_a_stream(fake: FakeProvider, after: int) -> None:
    fake.fault("error_event", text=f"so far {KEY}", after=after, message=f"wrong key {KEY}")
    error = failure(fake, stream=True)
    error.partial = None  # the content that arrived is not an error's text: it stays as it is
    assert KEY not in shown(error)


@pytest.mark.parametrize("stream", [False, True], ids=["complete", "streamed"])
def test_the_content_of_a_successful_response_is_never_changed(fake: FakeProvider, stream: bool) -> None:
    fake.reply(f"Your key is {KEY}")
    builder = fake.client().chat().user("Hi")
    response = builder.stream().collect() if stream else builder.execute()
    assert response.content == f"Your key is {KEY}"


def test_the_header_that_a_manifest_names_is_secret_whatever_its_name() -> None:
    manifest = {
        "id": "own", "name": "Own", "dialect": "openai_chat", "base_url": "https://own.example/v1",
        "auth": {"scheme": "header", "header": "X-Gateway-Pass"},
    }  # fmt: skip
    with FakeProvider(manifest, api_key=KEY) as fake:
        fake.fail(401, body={"error": {"message": KEY}})
        assert KEY not in shown(failure(fake, stream=False))
        assert KEY not in str(fake.client().chat().user("x").explain())


@pytest.mark.parametrize("name", ["X-Auth", "Helicone-Auth", "X-Credential", "Cookie", "X-Anything"])
def test_a_header_of_the_callers_with_a_key(name: str) -> None:
    with FakeProvider("openai", api_key="another-key") as fake:
        fake.fail(400, body={"error": {"message": f"no {KEY}"}})
        client = fake.client(retry=NO_RETRY, headers={name: f"Bearer {KEY}" if name != "Cookie" else f"session={KEY}; a=b"})
        with pytest.raises(AiLibError) as caught:
            client.chat().user("Hi").execute()
        assert KEY not in shown(caught.value)
        assert KEY not in str(client.chat().user("x").explain())
        with pytest.raises(AiLibError, match="cannot be pickled"):
            pickle.dumps(client)


def test_basic_credentials_are_a_user_and_a_password() -> None:
    encoded = base64.b64encode(b"user:pass-word").decode()
    secrets = secrets_in("Authorization", f"Basic {encoded}")
    assert redact(f"{encoded} user:pass-word pass-word", secrets) == f"{REDACTED} {REDACTED} {REDACTED}"


@pytest.mark.parametrize("key", ["abcd", "k-1.", "a" * 5, KEY])
def test_short_keys_count_and_other_text_stays(key: str) -> None:
    secrets = Headers({"x-api-key": key, "accept": "application/json"}).secrets()
    assert redact(f"before {key} after {key}", secrets) == f"before {REDACTED} after {REDACTED}"
    assert redact("before after", secrets) == "before after"
    assert redact("abc", Headers({"x-api-key": "abc"}).secrets()) == "abc"


@pytest.mark.parametrize("body", [b"\xff\xfe %s \x80", b"\xfe\xff%s", b"%s\xc3"])
def test_bytes_that_are_no_text(body: bytes) -> None:
    with FakeProvider("openai", api_key=KEY) as fake:
        fake.fail(403, body=body % KEY.encode())
        error: Any = failure(fake, stream=False)
    assert error.body == (body % REDACTED.encode()).decode("utf-8", "replace")
    assert KEY not in shown(error)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("status", [200, 403])
def test_json_in_other_encodings(encoding: str, status: int) -> None:
    with FakeProvider("openai", api_key=KEY) as fake:
        fake.fail(status, body=json.dumps({"error": {"message": f"wrong key {KEY}"}}).encode(encoding))
        error = failure(fake, stream=False)
    assert error.message == f"wrong key {REDACTED}"
    assert KEY not in shown(error).replace("\0", "")


def test_json_stays_json() -> None:
    text = json.dumps({"error": {"message": f'the key "{KEY}" is wrong'}})
    assert json.loads(redact(text, [KEY]))["error"]["message"] == f'the key "{REDACTED}" is wrong'
