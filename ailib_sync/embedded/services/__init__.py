"""The server's side of each wire format, one folder for each dialect, written independently of the client's dialects.

`service.py` reads requests and writes responses; its `SERVICE` is the record of these functions. `checks.py` rejects what the
real service rejects. Each operation other than chat has a file of its own. A folder imports no other folder; rules that several
services share are in modules here: `openai_errors`, `strict_schema`.

Internal: import public names from `ailib_sync`.
"""
