"""Anthropic Messages: `POST /messages`.

Internal: import public names from `ailib_sync`.
"""
