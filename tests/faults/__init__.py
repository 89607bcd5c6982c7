"""Faults of the network, the provider and the caller, and how each must be handled: see docs/faults.md."""
