"""Keys: where they come from, how they are hidden, and which header they travel in. No I/O but the environment."""

from __future__ import annotations

import os

from ..errors import ConfigurationError
from ..http.secret_headers import REDACTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, NoReturn

    from ..http.message import HttpRequest
    from ..registry.manifest import Manifest


class Secret:
    """A key that shows itself to nobody: not in repr, str, vars or a pickle."""

    __slots__ = ("_ask",)

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask

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
        """The key, checked. `who` names the provider in the error."""
        key = self._ask()
        if _is_sendable(key):
            return key
        del key  # so that a traceback which shows local values does not show it
        raise ConfigurationError(
            "the API key must be printable ASCII without spaces; was it pasted with a line break or a special hyphen?",
            provider=who,
        )

    def __repr__(self) -> str:
        return "Secret(…)"


class _Literal(Secret):
    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError(
            "a client with a literal api_key cannot be pickled, since the key would travel with it; "
            "set the provider's environment variable or pass a function as api_key"
        )


def _is_sendable(key: Any) -> bool:
    return isinstance(key, str) and 0 < len(key) <= 8192 and key.isascii() and key.isprintable() and " " not in key


def key_variables(manifest: Manifest) -> list[str]:
    """The environment variables a key is looked for in, in order; `<ID>_API_KEY` is always the last."""
    own = f"{manifest.id.upper().replace('-', '_').replace('.', '_')}_API_KEY"
    return list(dict.fromkeys((*manifest.auth.get("env", ()), own)))


def find_key(manifest: Manifest, explicit: Secret | None, *, may_use_environment: bool = True) -> Secret | None:
    """The explicit key, else the first set variable of `key_variables`, else None where the provider can do without.

    Raises ConfigurationError where a key is needed and there is none, or where the address is not the manifest's own
    (`may_use_environment` False) and the key must therefore be given by hand.
    """
    if explicit is not None:
        return explicit
    if manifest.auth.get("scheme") == "none":
        return None
    if may_use_environment:
        for name in key_variables(manifest):
            if os.environ.get(name):
                return Secret(_FromEnvironment(name))
    if manifest.auth.get("optional") or manifest.auth.get("scheme") in KEYLESS:
        return None
    names = " or ".join(key_variables(manifest)[:3])
    if not may_use_environment:
        raise ConfigurationError(
            "base_url is not the provider's own address, so no key is taken from the environment; pass api_key=… too",
            provider=manifest.id,
        )
    note = f" (it is {manifest.auth['note']})" if "note" in manifest.auth else ""
    raise ConfigurationError(f"no API key. Set {names} or pass api_key=…{note}", provider=manifest.id)


class _FromEnvironment:
    """Reads the variable at each request, so a rotated key is seen; unlike a lambda, it pickles."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self) -> str:
        return os.environ.get(self.name, "").strip()


def authorize(request: HttpRequest, manifest: Manifest, key: Secret | None, variables: Mapping[str, str]) -> None:
    """Puts the key into the request's headers by the manifest's scheme."""
    SCHEMES[manifest.auth.get("scheme", "bearer")](request, manifest, key, variables)


def bearer(request: HttpRequest, manifest: Manifest, key: Secret | None, variables: Mapping[str, str]) -> None:
    if key is not None:
        request.headers.add_key(manifest.auth.get("header", "Authorization"), "Bearer ", key.reveal(manifest.id))


def header(request: HttpRequest, manifest: Manifest, key: Secret | None, variables: Mapping[str, str]) -> None:
    if key is not None:
        request.headers.add_key(manifest.auth["header"], manifest.auth.get("prefix", ""), key.reveal(manifest.id))


def none(request: HttpRequest, manifest: Manifest, key: Secret | None, variables: Mapping[str, str]) -> None:
    pass


def aws(request: HttpRequest, manifest: Manifest, key: Secret | None, variables: Mapping[str, str]) -> None:
    """A Bedrock API key as bearer; without one, SigV4 with the credentials that botocore finds."""
    if key is not None:
        return bearer(request, manifest, key, variables)
    from .signing import sign_aws  # needs the optional extra `bedrock`

    request.headers.update(sign_aws(request, region=variables["region"]))
    return None


def google(request: HttpRequest, manifest: Manifest, key: Secret | None, variables: Mapping[str, str]) -> None:
    """An express-mode API key in its header; without one, an OAuth token of google-auth's."""
    if key is not None:
        return header(request, manifest, key, variables)
    from .signing import google_token  # needs the optional extra `vertex`

    request.headers["Authorization"] = "Bearer " + google_token()
    return None


def authorize_redacted(request: HttpRequest, manifest: Manifest, has_key: bool, variables: Mapping[str, str]) -> set[str]:
    """What `authorize` does, with a placeholder for the key: for showing a request. The names of the headers with secrets.

    Credentials that have to be found first (AWS, Google) are not looked for, since that may need the network.
    """
    before = dict(request.headers)
    scheme = manifest.auth.get("scheme", "bearer")
    if has_key:
        authorize(request, manifest, Secret.literal("placeholder"), variables)
    elif scheme in KEYLESS:
        request.headers.update(dict.fromkeys(KEYLESS[scheme], REDACTED))
    added = {name for name, value in request.headers.items() if before.get(name) != value}
    return added | {name for name in request.headers if request.headers.is_secret(name)}


#: Schemes that can find credentials of their own, and the headers that those are sent in.
KEYLESS: Mapping[str, tuple[str, ...]] = {"aws": ("Authorization", "X-Amz-Date"), "google": ("Authorization",)}
SCHEMES: Mapping[str, Callable[[HttpRequest, Manifest, Secret | None, Mapping[str, str]], None]] = {
    "bearer": bearer,
    "header": header,
    "none": none,
    "aws": aws,
    "google": google,
}
