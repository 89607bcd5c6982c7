"""A `requests.Session` as the HTTP pool, so that tools for requests (the `responses` library, adapters) work with this client.

client = AiClient("openai/gpt-4o", api_key="k", http=session_http(requests.Session()))
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from requests import PreparedRequest, Session
    from urllib3 import BaseHTTPResponse


class SessionHttp:
    """`urlopen` over a session. A session is not thread-safe: use one for each thread."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def urlopen(
        self,
        method: str,
        url: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: Any = None,
        **ignored: Any,
    ) -> BaseHTTPResponse:
        """The response, with an unread body. Raises urllib3's exceptions, as a pool does."""
        from requests.exceptions import RequestException

        failure: Exception
        try:
            response = self.session.request(
                method,
                url,
                data=body,
                headers=dict(headers or {}),
                timeout=_timeouts(timeout),
                stream=True,
                allow_redirects=False,
                auth=self.session.auth or _unchanged,
            )
        except RequestException as error:
            failure = _urllib3_error(error)
        else:
            raw: BaseHTTPResponse = response.raw
            raw.decode_content = True  # requests decodes in its own iter_content, which is not used here
            return raw
        raise failure  # outside the except: the exception of requests contains the request, and so the key


def session_http(session: Session) -> SessionHttp:
    """The session, for `AiClient(http=…)`. Its adapters, proxies, `verify` and cookies are used."""
    return SessionHttp(session)


def _unchanged(request: PreparedRequest) -> PreparedRequest:
    """The request, unchanged: otherwise requests replaces the key with a password of ~/.netrc."""
    return request


def _timeouts(timeout: Any) -> Any:
    """urllib3's Timeout as requests' (connect, read); numbers and None are unchanged."""
    if not hasattr(timeout, "connect_timeout"):
        return timeout
    return timeout.connect_timeout, timeout.read_timeout


def _urllib3_error(error: Exception) -> Exception:
    """The exception of urllib3 that caused one of requests, otherwise a similar one."""
    from typing import cast

    from requests import exceptions as r
    from urllib3 import exceptions as u3

    cause: Any = error.args[0] if error.args else None
    if isinstance(cause, u3.MaxRetryError) and cause.reason is not None:
        cause = cause.reason
    if isinstance(cause, u3.HTTPError):
        return cause
    message = str(error)
    if isinstance(error, r.ProxyError):
        return u3.ProxyError(message, error)
    if isinstance(error, r.SSLError):
        return u3.SSLError(message)
    if isinstance(error, r.ConnectTimeout):
        return u3.ConnectTimeoutError(message)
    if isinstance(error, r.Timeout):
        return u3.ReadTimeoutError(cast("Any", None), "", message)
    if isinstance(error, r.ConnectionError):
        return u3.NewConnectionError(cast("Any", None), message)
    return u3.HTTPError(message)
