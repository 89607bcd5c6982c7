"""Objects that are reset in a forked child process: locks that a thread of the parent held, counts of the parent's calls."""

from __future__ import annotations

import os
from _weakref import ref  # `weakref` adds nothing that is needed here and takes half a millisecond to import
from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Resettable(Protocol):
        def reset_after_fork(self) -> None: ...


#: By the number of the registration. Dict stores and deletes are atomic: no lock that a fork could leave locked.
_registered: dict[int, ref[Resettable]] = {}
_numbers = count()


def reset_in_children(target: Resettable) -> None:
    """Calls `target.reset_after_fork()` in every forked child, before any other code runs there. Keeps no reference to it."""
    number = next(_numbers)
    _registered[number] = ref(target, lambda _: _registered.pop(number, None))


def _reset_all() -> None:
    for registered in list(_registered.values()):
        target = registered()
        if target is not None:
            target.reset_after_fork()


# Only the forking thread exists in the child; a lock held by another one would never be released. (Windows has no fork.)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
