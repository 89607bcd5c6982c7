"""OpenAI's Chat Completions and its many compatible hosts.

Internal: import public names from `ailib_sync`.
"""
