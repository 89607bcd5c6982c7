"""`python -m ailib_sync`: see cli.py."""

from .cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
