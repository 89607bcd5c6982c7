"""Amazon Bedrock's Converse API.

Internal: import public names from `ailib_sync`.
"""
