"""The dialects: how each family of APIs talks. One public module a dialect, found by `ailib_sync.dialects.dialect.find`."""
