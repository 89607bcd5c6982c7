"""The server's side of each wire format, written independently of the dialects.

Internal: import public names from `ailib_sync`.
"""
