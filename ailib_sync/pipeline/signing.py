"""Credentials other than a key: AWS signatures (SigV4) and Google's OAuth tokens, made by the libraries of these companies.

Both libraries are optional extras, and each takes a tenth of a second to import, so each is imported when it is first used.
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


def sign_aws(request: HttpRequest, region: str) -> dict[str, str]:
    """The request's headers, signed with the credentials that botocore finds: the environment, a profile, SSO, a role.

    A signature is valid for five minutes, so each attempt gets a new one. Only `Host`, `Content-Type` and the body are signed,
    so that a proxy may add headers. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    try:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise _missing("AWS credentials", "bedrock", "a Bedrock API key in AWS_BEARER_TOKEN_BEDROCK") from None
    headers = {name: value for name, value in request.headers.items() if name.lower() == "content-type"}
    signed = AWSRequest(request.method, request.url, headers, request.body)
    try:
        SigV4Auth(_aws_credentials().get_frozen_credentials(), "bedrock", region).add_auth(signed)
    except BotoCoreError as error:
        raise ConfigurationError(f"AWS credentials: {error}") from error
    kept = {name: value for name, value in request.headers.items() if name.lower() not in _SIGNATURE}
    return {**kept, **signed.headers}


#: The headers of an earlier signature of the same request.
_SIGNATURE = frozenset(("authorization", "x-amz-date", "x-amz-security-token"))


@lru_cache(maxsize=1)
def _aws_credentials() -> Any:
    """What botocore finds, once in a process. It renews credentials that expire, and is safe to use from all threads."""
    from botocore.session import Session

    credentials = Session().get_credentials()
    if credentials is None:
        raise ConfigurationError(
            "no AWS credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, "
            "or a Bedrock API key in AWS_BEARER_TOKEN_BEDROCK"
        )
    return credentials


def google_token() -> str:
    """An OAuth access token of google-auth's default credentials, renewed shortly before it expires."""
    pid = getpid()
    found = _GOOGLE.get(pid) or _GOOGLE.setdefault(pid, _GoogleCredentials())
    return found.token()


class _GoogleCredentials:
    """Default credentials that threads share. One of them loads and renews, under a lock."""

    def __init__(self) -> None:
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
            credentials, _ = default(scopes=[CLOUD_PLATFORM])
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


#: By process: a forked child must not inherit a locked lock.
_GOOGLE: dict[int, _GoogleCredentials] = {}


class _Http:
    """Sends the requests of google-auth, through the proxy that the environment names, with a timeout."""

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
