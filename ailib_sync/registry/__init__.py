"""Facts about providers and models: manifests, quirks, prices, retirements.

Internal: import public names from `ailib_sync`.
"""
