"""The server's side of Anthropic Messages.

Internal: import public names from `ailib_sync`.
"""
