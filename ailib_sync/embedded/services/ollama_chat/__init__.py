"""The server's side of Ollama's chat.

Internal: import public names from `ailib_sync`.
"""
