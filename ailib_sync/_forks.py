"""Objects that are reset in a forked child process: locks that a thread of the parent held, counts of the parent's calls."""

from __future__ import annotations

import os
from weakref import WeakSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Resettable(Protocol):
        def reset_after_fork(self) -> None: ...


_registered: WeakSet[Resettable] = WeakSet()


def reset_in_children(target: Resettable) -> None:
    """Calls `target.reset_after_fork()` in every forked child, before any other code runs there. Keeps no reference to it."""
    _registered.add(target)


def _reset_all() -> None:
    for target in list(_registered):
        target.reset_after_fork()


# Only the forking thread exists in the child; a lock held by another one would never be released. (Windows has no fork.)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
