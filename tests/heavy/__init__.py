"""Long runs that anyone can start by hand, `python -m tests.heavy.soak` and its neighbours: see docs/reliability.md."""
