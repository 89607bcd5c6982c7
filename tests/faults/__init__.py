"""What the network, the provider and the caller can do to a call, and what must come of it: see docs/faults.md."""
