"""The dialects: how each family of APIs is written and read. One folder each, found by `ailib_sync.dialects.dialect.find`.

The rules that all of them share: `options`, `reasoning`, `stream`, `errors`, `accumulator`, `replay`. Internal.
"""
