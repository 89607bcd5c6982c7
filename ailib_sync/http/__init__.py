"""Requests out, responses in: connections, bodies, proxies and time limits over urllib3.

Internal: import public names from `ailib_sync`.
"""
