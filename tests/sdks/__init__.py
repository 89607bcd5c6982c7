"""Official SDKs against FakeProvider; skipped where they are not installed."""
