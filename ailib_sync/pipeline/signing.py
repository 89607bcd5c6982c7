"""Credentials that are more than a key: AWS signatures (SigV4) and Google's OAuth tokens, by those companies' own libraries.

Both libraries are optional extras, and each takes a tenth of a second to import, so each is imported where it is first used.
"""

from __future__ import annotations

from functools import lru_cache
from os import getpid
from threading import Lock

from ..errors import ConfigurationError, ConnectError
from ..http.proxies import proxy_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..http.message import HttpRequest

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
RENEWAL_SECONDS = 30.0


def sign_aws(request: HttpRequest, region: str, service: str = "bedrock") -> dict[str, str]:
    """The request's headers, signed with what botocore finds: the environment, a profile, SSO, the machine's role.

    A signature holds for five minutes, so a repeated request is signed anew. Only `Host`, `Content-Type` and the body are
    signed: what a proxy adds or the transport changes does no harm.
    """
    try:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise _missing("AWS credentials", "bedrock", "a Bedrock API key in AWS_BEARER_TOKEN_BEDROCK") from None
    signed_names = ("content-type",)
    headers = {name: value for name, value in request.headers.items() if name.lower() in signed_names}
    signed = AWSRequest(request.method, request.url, headers, request.body)
    try:
        SigV4Auth(_aws_credentials().get_frozen_credentials(), service, region).add_auth(signed)
    except BotoCoreError as error:
        raise ConfigurationError(f"AWS credentials: {error}") from error
    kept = {name: value for name, value in request.headers.items() if name.lower() not in _SIGNATURE}
    return {**kept, **signed.headers}


#: What an earlier signature of the same request may have left.
_SIGNATURE = frozenset(("authorization", "x-amz-date", "x-amz-security-token"))


@lru_cache(maxsize=1)
def _aws_credentials() -> Any:
    """What botocore finds, once in a process; it renews what expires, from any thread."""
    from botocore.session import Session

    credentials = Session().get_credentials()
    if credentials is None:
        raise ConfigurationError(
            "no AWS credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, "
            "or a Bedrock API key in AWS_BEARER_TOKEN_BEDROCK"
        )
    return credentials


def google_token(*scopes: str) -> str:
    """An OAuth access token of google-auth's default credentials, renewed shortly before it expires."""
    key = (getpid(), scopes or (CLOUD_PLATFORM,))
    found = _GOOGLE.get(key) or _GOOGLE.setdefault(key, _GoogleCredentials(key[1]))
    return found.token()


class _GoogleCredentials:
    """Default credentials behind a lock: many threads share them, and one of them loads and renews."""

    def __init__(self, scopes: tuple[str, ...]) -> None:
        self._scopes = scopes
        self._lock = Lock()
        self._credentials: Any = None

    def token(self) -> str:
        with self._lock:
            if self._credentials is None:
                self._credentials = self._load()
            if not self._credentials.valid:
                self._renew()
            return str(self._credentials.token)

    def _load(self) -> Any:
        try:
            from google.auth import default
            from google.auth.exceptions import DefaultCredentialsError
        except ImportError:
            raise _missing("Google credentials", "vertex", "a key of Vertex's express mode") from None
        try:
            credentials, _ = default(scopes=list(self._scopes))
        except DefaultCredentialsError as error:
            raise ConfigurationError(f"no Google credentials. Run `gcloud auth application-default login`: {error}") from error
        return credentials

    def _renew(self) -> None:
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.auth.transport.urllib3 import Request

        try:
            self._credentials.refresh(Request(_Http()))
        except GoogleAuthError as error:
            unreached = isinstance(error, TransportError) or error.retryable
            kind = ConnectError if unreached else ConfigurationError
            raise kind(f"Google credentials could not be renewed: {error}") from error


#: By process, since a forked child must not inherit a lock that is held, and by scopes.
_GOOGLE: dict[tuple[int, tuple[str, ...]], _GoogleCredentials] = {}


class _Http:
    """What google-auth sends with: the environment's proxy, and no wait without an end."""

    def request(self, method: str, url: str, **options: Any) -> Any:
        from urllib.parse import urlsplit

        from urllib3 import PoolManager, ProxyManager

        address = urlsplit(url)
        proxy = proxy_for(address.scheme, address.hostname or "", address.port)
        options.setdefault("timeout", RENEWAL_SECONDS)
        with ProxyManager(proxy) if proxy else PoolManager() as http:
            return http.request(method, url, **options)


def _missing(what: str, extra: str, instead: str) -> ConfigurationError:
    return ConfigurationError(f"{what} need an optional extra: pip install 'ailib-sync[{extra}]'. Or use {instead}")
