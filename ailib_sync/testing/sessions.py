"""A `requests.Session` as our HTTP pool, so that what drives requests (the `responses` library, adapters) drives this client.

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
    """`urlopen` over a session. One session is not made for many threads at once; give each its own."""

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
        """The raw answer, unread. Raises urllib3's exceptions, as a pool does."""
        from requests.exceptions import RequestException

        failure: Exception
        try:
            response = self.session.request(
                method,
                url,
                data=body,
                headers=dict(headers or {}),
                timeout=_pair(timeout),
                stream=True,
                allow_redirects=False,
                auth=self.session.auth or _as_it_is,
            )
        except RequestException as error:
            failure = _translated(error)
        else:
            raw: BaseHTTPResponse = response.raw
            raw.decode_content = True  # requests decodes in its own iter_content; we read below it
            return raw
        raise failure  # outside the except: what requests raised holds the request, and so the key


def session_http(session: Session) -> SessionHttp:
    """The session as something to pass as `AiClient(http=…)`. It is used as it is: adapters, proxies, `verify`, cookies."""
    return SessionHttp(session)


def _as_it_is(request: PreparedRequest) -> PreparedRequest:
    """Keeps requests from putting a password out of ~/.netrc in the place of the key."""
    return request


def _pair(timeout: Any) -> Any:
    """urllib3's Timeout as requests' (connect, read); numbers and None as they are."""
    if not hasattr(timeout, "connect_timeout"):
        return timeout
    return timeout.connect_timeout, timeout.read_timeout


def _translated(error: Exception) -> Exception:
    """The exception of urllib3's that stands behind one of requests', or the nearest there is."""
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
