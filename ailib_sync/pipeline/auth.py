"""Keys: where they come from, how they are hidden, and which header they are sent in. No I/O except the environment."""

from __future__ import annotations

import os

from ..errors import ConfigurationError
from ..http.secret_headers import REDACTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any, NoReturn

    from ..http.message import HttpRequest
    from ..registry.manifest import Manifest


class Secret:
    """A key that is not shown by repr, str or vars, and is not in a pickle. `read` returns it, for each request."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    @classmethod
    def literal(cls, key: str) -> Secret:
        return _Literal(lambda: key)

    @classmethod
    def of(cls, key: str | Callable[[], str] | Secret | None) -> Secret | None:
        """A key or a function that returns one, hidden; None and a `Secret` as they are."""
        if key is None or isinstance(key, Secret):
            return key
        return cls(key) if callable(key) else cls.literal(key)

    def reveal(self, who: str) -> str:
        """The key, checked. Raises ConfigurationError, in which `who` is the provider."""
        key = self._read()
        if _is_sendable(key):
            return key
        if key == "":
            raise ConfigurationError(
                "no API key: api_key is an empty text; pass the key, or leave api_key out to use the environment", provider=who
            )
        del key  # a traceback with local values would show it
        raise ConfigurationError(
            "the API key must be printable ASCII without spaces; was it pasted with a line break or a special hyphen?",
            provider=who,
        )

    def is_empty(self) -> bool:
        """Whether the caller passed an empty text, which means no key where none is needed."""
        return False

    def is_token(self, key: str, variables: Collection[str]) -> bool:
        """Whether the key is a token, for a service that has both: it came from one of these variables, or is a JSON Web Token
        (RFC 7519 3)."""
        source = getattr(self._read, "name", None)
        return bool(variables) and (source in variables or (key[:3].lower() == "eyj" and key.count(".") == 2))

    def __repr__(self) -> str:
        return "Secret(…)"


class _Literal(Secret):
    __slots__ = ()

    def is_empty(self) -> bool:
        return not self._read()

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError(
            "a client with a literal api_key cannot be pickled: the key would be in the pickle; "
            "set the provider's environment variable or pass a function as api_key"
        )


def _is_sendable(key: Any) -> bool:
    return isinstance(key, str) and 0 < len(key) <= 8192 and key.isascii() and key.isprintable() and " " not in key


def key_variables(manifest: Manifest) -> list[str]:
    """The environment variables that may contain the key, in order; `<ID>_API_KEY` is always the last."""
    own = f"{manifest.id.upper().replace('-', '_').replace('.', '_')}_API_KEY"
    return list(dict.fromkeys((*manifest.auth.get("env", ()), *manifest.auth.get("bearer_env", ()), own)))


def find_key(manifest: Manifest, explicit: Secret | None, *, may_use_environment: bool = True) -> Secret | None:
    """The explicit key, else that of the first variable of `key_variables` that is set, else None if no key is needed.

    Raises ConfigurationError if a key is needed and there is none. `may_use_environment` is False for a URL that is not the
    manifest's own: the key in the environment is the provider's, and is not sent to another host.
    """
    is_optional = bool(manifest.auth.get("optional"))
    if explicit is not None:
        return None if is_optional and explicit.is_empty() else explicit
    if manifest.auth.get("scheme") == "none":
        return None
    if may_use_environment:
        for name in key_variables(manifest):
            if os.environ.get(name):
                return Secret(_FromEnvironment(name))
    if is_optional or manifest.auth.get("scheme") in HEADERS_WITHOUT_KEY:
        return None
    if not may_use_environment:
        raise ConfigurationError(
            "base_url is not the provider's own URL, so the key in the environment is not used; pass api_key=… too",
            provider=manifest.id,
        )
    names = " or ".join(key_variables(manifest)[:3])
    note = f" (it is {manifest.auth['note']})" if "note" in manifest.auth else ""
    raise ConfigurationError(f"no API key. Set {names} or pass api_key=…{note}", provider=manifest.id)


class _FromEnvironment:
    """Reads the variable for each request, so that a new key is used. Unlike a lambda, it can be pickled."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self) -> str:
        return os.environ.get(self.name, "").strip()


def authorize(request: HttpRequest, manifest: Manifest, key: Secret | None, variables: Mapping[str, str]) -> None:
    """Puts the key, or other credentials, into the request's headers, by the manifest's scheme."""
    SCHEMES[manifest.auth.get("scheme", "bearer")](request, manifest, key, variables)


def authorize_for_display(request: HttpRequest, manifest: Manifest, has_key: bool, variables: Mapping[str, str]) -> None:
    """What `authorize` does, with a placeholder for the key.

    Credentials that must be found first (AWS, Google) are not looked for, since that may need the network: their headers get a
    placeholder too.
    """
    if has_key:
        authorize(request, manifest, Secret.literal(REDACTED), variables)
        return
    for name in HEADERS_WITHOUT_KEY.get(manifest.auth.get("scheme", "bearer"), ()):
        request.headers.put_key(name, "", REDACTED)


def bearer(request: HttpRequest, manifest: Manifest, key: Secret | None, variables: Mapping[str, str]) -> None:
    """RFC 6750 2.1. A gateway may name another header for it."""
    if key is not None:
        request.headers.put_key(manifest.auth.get("header", "Authorization"), "Bearer ", key.reveal(manifest.id))


def header(request: HttpRequest, manifest: Manifest, key: Secret | None, variables: Mapping[str, str]) -> None:
    if key is not None:
        revealed = key.reveal(manifest.id)
        if key.is_token(revealed, manifest.auth.get("bearer_env", ())):
            request.headers.put_key("Authorization", "Bearer ", revealed)
        else:
            request.headers.put_key(manifest.auth["header"], manifest.auth.get("prefix", ""), revealed)


def none(request: HttpRequest, manifest: Manifest, key: Secret | None, variables: Mapping[str, str]) -> None:
    pass


def aws(request: HttpRequest, manifest: Manifest, key: Secret | None, variables: Mapping[str, str]) -> None:
    """A Bedrock API key as a bearer token; without one, a signature (SigV4) with the credentials that botocore finds.

    https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html
    """
    if key is not None:
        return bearer(request, manifest, key, variables)
    from .signing import sign_aws  # needs the optional extra `bedrock`

    request.headers.put_all(sign_aws(request, region=variables["region"]))
    return None


def google(request: HttpRequest, manifest: Manifest, key: Secret | None, variables: Mapping[str, str]) -> None:
    """An API key of the express mode in its header; without one, an OAuth token of google-auth.

    https://cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode/overview
    """
    if key is not None:
        return header(request, manifest, key, variables)
    from .signing import google_token  # needs the optional extra `vertex`

    request.headers.put_key("Authorization", "Bearer ", google_token())
    return None


#: Schemes that can find credentials without a key → the headers in which they are sent.
HEADERS_WITHOUT_KEY: Mapping[str, tuple[str, ...]] = {"aws": ("X-Amz-Date", "Authorization"), "google": ("Authorization",)}
SCHEMES: Mapping[str, Callable[[HttpRequest, Manifest, Secret | None, Mapping[str, str]], None]] = {
    "bearer": bearer,
    "header": header,
    "none": none,
    "aws": aws,
    "google": google,
}
