"""The server's side of Bedrock's Converse.

Internal: import public names from `ailib_sync`.
"""
