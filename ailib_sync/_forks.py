"""What must begin anew in a forked child: locks that another thread of the parent held, counts of the parent's calls."""

from __future__ import annotations

import os
from weakref import WeakSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Renewable(Protocol):
        def renew(self) -> None: ...


_all: WeakSet[Renewable] = WeakSet()


def renew_in_children(thing: Renewable) -> None:
    """From now on `thing.renew()` runs in every forked child, before anything else does."""
    _all.add(thing)


def _renew_all() -> None:
    for thing in list(_all):
        thing.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
