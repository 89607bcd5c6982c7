"""OpenAI Responses: `POST /responses`.

Internal: import public names from `ailib_sync`.
"""
