"""One call, from the request to the response: endpoint, attempts, decoding.

Internal: import public names from `ailib_sync`.
"""
