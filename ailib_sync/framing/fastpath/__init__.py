"""Streams whose events differ only in a few values, read without parsing each one.

Internal: import public names from `ailib_sync`.
"""
