"""Cohere's chat format, version 2.

Internal: import public names from `ailib_sync`.
"""
