"""The server's side of Cohere's chat.

Internal: import public names from `ailib_sync`.
"""
