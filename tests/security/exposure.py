"""Secrets that must be seen nowhere, and every text in which somebody could see an exception."""

from __future__ import annotations

import io
import pickle
import traceback
from collections.abc import Callable, Iterator

#: The secrets. Tests use these names, so that no source line in a traceback contains a value.
KEY = "sk-" + "CANARY0" * 5
PROMPT = "PROMPT" + "CANARY1" * 3
PASSWORD = "PASSWORD" + "CANARY2" * 2


def chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all its causes and contexts."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        left += [one.__cause__, one.__context__]


def shown(error: BaseException) -> dict[str, str]:
    """Every text that a log, an error tracker or a worker's result backend could keep of an exception."""
    found: dict[str, str] = {}
    for number, one in enumerate(chain(error)):
        found[f"{number} str"] = str(one)
        found[f"{number} repr"] = repr(one)
        found[f"{number} args"] = repr(one.args)
        found[f"{number} vars"] = repr(vars(one))
        found[f"{number} pickle"] = repr(pickle.dumps(one))
    found["traceback"] = "".join(traceback.format_exception(error))
    with_locals = traceback.TracebackException.from_exception(error, capture_locals=True)
    found["locals"] = "".join(with_locals.format())
    out = io.StringIO()
    traceback.print_exception(error, file=out)
    found["printed"] = out.getvalue()
    return found


def leaks(texts: dict[str, str], secret: str) -> list[str]:
    """The texts that contain the secret or most of it."""
    part = secret[4:-4]
    return [
        f"{where}: …{text[max(0, text.index(part) - 200) : text.index(part) + 40]}"
        for where, text in texts.items()
        if part in text
    ]


#: As many characters of a key in a row are a part of it that must not be seen.
PART = 8


def parts(secret: str) -> list[str]:
    """All the parts of a key that say more than its provider's prefix."""
    start = len("sk-")
    return [secret[at : at + PART] for at in range(start, len(secret) - PART + 1)]


def no_part_shows(error: BaseException, secret: str) -> None:
    texts = shown(error)
    assert [where for where, text in texts.items() for part in parts(secret) if part in text] == []


def caught(act: Callable[[], object]) -> BaseException:
    """The exception that `act()` raises. Its traceback does not contain the frame of the test."""
    try:
        act()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")
