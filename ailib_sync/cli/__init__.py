"""The command line: `ailib-sync`, `python -m ailib_sync`.

Internal: import public names from `ailib_sync`.
"""
