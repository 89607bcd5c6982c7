"""Which certificates are trusted, and the TLS context of the connections.

The first of these decides: the client's `ssl_context`, the client's `ca_bundle`, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, then what
the system trusts, where SSL_CERT_FILE and SSL_CERT_DIR replace the file and the folder of OpenSSL. Where the system has
nothing, certifi is used if it is installed. `trust_env=False` switches the variables off.
"""

from __future__ import annotations

import os
import ssl

from ..errors import TlsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def tls_context(ca_bundle: str | None, trust_env: bool) -> ssl.SSLContext:
    """A context for TLS 1.2 or later that checks certificates and host names. Raises TlsError for a bundle it cannot read.

    Reads the whole bundle (20 ms).
    """
    bundle = ca_bundle
    if bundle is None and trust_env:
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or None
    if bundle is None:
        context = _system_context(trust_env)
    else:
        try:
            where: dict[str, Any] = {"capath" if os.path.isdir(bundle) else "cafile": bundle}
            context = ssl.create_default_context(**where)
        except OSError as error:
            raise TlsError(f"the CA bundle {bundle} cannot be read: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _system_context(trust_env: bool) -> ssl.SSLContext:
    paths = ssl.get_default_verify_paths()
    file, folder = (os.environ.get(name) for name in (paths.openssl_cafile_env, paths.openssl_capath_env))
    if trust_env or not (file or folder):
        if file and not os.path.isfile(file):  # OpenSSL would ignore it, and trust nothing
            raise TlsError(f"{paths.openssl_cafile_env} names {file}, which is not a file")
        context = ssl.create_default_context()
        folder = paths.capath
    else:
        # OpenSSL itself reads the variables, so its own paths are given instead.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        file = paths.openssl_cafile if os.path.isfile(paths.openssl_cafile) else None
        folder = paths.openssl_capath if os.path.isdir(paths.openssl_capath) else None
        if file or folder:
            context.load_verify_locations(file, folder)
    if not context.get_ca_certs() and not (folder and os.path.isdir(folder) and os.listdir(folder)):
        try:
            import certifi
        except ImportError:
            return context
        context.load_verify_locations(certifi.where())
    return context
