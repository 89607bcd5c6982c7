"""Ollama's own chat format: `POST /api/chat`.

Internal: import public names from `ailib_sync`.
"""
