"""Bytes to frames: server-sent events, NDJSON, AWS event streams, JSON.

Internal: import public names from `ailib_sync`.
"""
