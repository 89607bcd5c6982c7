"""The server's side of OpenAI's chat completions.

Internal: import public names from `ailib_sync`.
"""
