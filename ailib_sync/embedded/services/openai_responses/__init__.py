"""The server's side of OpenAI Responses.

Internal: import public names from `ailib_sync`.
"""
