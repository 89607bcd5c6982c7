"""Bytes to frames: server-sent events, NDJSON, AWS event streams, JSON. No I/O.

Internal: import public names from `ailib_sync`.

Every parser takes an iterable of byte chunks, cut anywhere, and `max_event`, the largest event in bytes (`Limits.event`).
It yields an event as soon as its last byte has arrived, before it asks for the next chunk.
"""
