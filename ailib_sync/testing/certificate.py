"""The certificate of the loopback test server: self-signed, for localhost only, with a public key pair.

It is not a secret and protects nothing; only a client that is configured for a test trusts it. It is not a CA certificate, so
it is valid for no other name. Made with `openssl req -x509` (P-256, SAN localhost, 127.0.0.1 and ::1, CA:FALSE, 100 years).
"""

from __future__ import annotations

PEM = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZ28QHteZ2YD1XoN7
K/B2pSAGvKifKnsi4dQWosGMvUGhRANCAARsy2yvWnLudSzJfQIeWN88haVStpwN
ICL+LYR2qlHrX6RTn+HF8dW4/V26ba9ncGEoViNi9tSaeinR+7uTXBBG
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIB2zCCAYKgAwIBAgIUL0l5nPLv2YeBpy3qIgvhCbn+vIEwCgYIKoZIzj0EAwIw
KjEoMCYGA1UEAwwfYWlsaWJfc3luYyBsb29wYmFjayB0ZXN0IHNlcnZlcjAgFw0y
NjExMjUwMzAyNTFaGA8yMTI2MTEwMTAzMDI1MVowKjEoMCYGA1UEAwwfYWlsaWJf
c3luYyBsb29wYmFjayB0ZXN0IHNlcnZlcjBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABGzLbK9acu51LMl9Ah5Y3zyFpVK2nA0gIv4thHaqUetfpFOf4cXx1bj9Xbpt
r2dwYShWI2L21Jp6KdH7u5NcEEajgYMwgYAwLAYDVR0RBCUwI4IJbG9jYWxob3N0
hwR/AAABhxAAAAAAAAAAAAAAAAAAAAABMAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/
BAQDAgeAMBMGA1UdJQQMMAoGCCsGAQUFBwMBMB0GA1UdDgQWBBQn8LvqBbq3vOan
0mmXzCgN/9I4ujAKBggqhkjOPQQDAgNHADBEAiBmOIgNZ8SzkIoNo7kylQQ83SDI
dukD0PyeDv6akMS0FgIgOFoAvcHh4xU+sJou/oZd1S5xZclRkvl6IXx4trvBogM=
-----END CERTIFICATE-----
"""


def write_pem() -> str:
    """The path of a new temporary file with the key and the certificate. The caller must remove it."""
    import os
    from tempfile import mkstemp

    handle, path = mkstemp(suffix=".pem", prefix="ailib-sync-")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(PEM)
    return path
