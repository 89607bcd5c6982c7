"""Many chats at the same time, in threads: results in order or as completed. One error does not affect the others."""

from __future__ import annotations

from functools import partial

from ._arguments import whole
from ._dataclass import dataclass
from .errors import ConfigurationError
from .workers import Workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .builder import ChatBuilder
    from .http.timeouts import CancelToken
    from .types.response import CallStats, ChatResponse


@dataclass(slots=True)
class Result:
    """The result of one chat: `response` and `stats`, or `error`. `index` is the position of the chat, from 0.

    `error` is an AiLibError, or what a function of the caller's raised, such as a key function.
    """

    index: int
    response: ChatResponse | None = None
    stats: CallStats | None = None
    error: Exception | None = None

    @property
    def content(self) -> str:
        """The text of the response. Raises the error if there is one."""
        if self.error is not None:
            raise self.error
        assert self.response is not None
        return self.response.content


def run_all(chats: Iterable[ChatBuilder], *, max_workers: int = 8, on_error: str = "return") -> list[Result]:
    """Executes all chats, at most `max_workers` at the same time. Returns the results in the order of the chats.

        results = run_all(client.chat().user(f"Translate: {line}") for line in lines)
        print([result.content if result.error is None else "?" for result in results])

    `on_error="return"` stores each error in its result; `"raise"` raises the first one and cancels the other calls.

    What is finished is never lost. Ctrl-C, an exception of the iterable `chats`, and the first error with `"raise"` are raised
    with the finished results in their attribute `results`. Ctrl-C cancels the running calls, starts no new ones, and is raised
    within a second; so is a KeyboardInterrupt or SystemExit of a hook or a key function. After an exception of `chats`, the
    running calls are completed first.
    """
    if on_error not in ("return", "raise"):
        raise ConfigurationError(f'run_all: on_error must be "return" or "raise", not {on_error!r}')
    results: list[Result] = []
    for result in as_completed(chats, max_workers=max_workers):
        results.append(result)
        if result.error is not None and on_error == "raise":
            _attach(results, result.error)
            raise result.error
    return sorted(results, key=_index)


def as_completed(chats: Iterable[ChatBuilder], *, max_workers: int = 8) -> Iterator[Result]:
    """Like `run_all`, but yields each result as soon as it is complete.

    `chats` is read, in the caller's thread, as workers become free, so it can be infinite. Leaving the loop cancels the running
    calls. Where no thread can be started, the chats are executed in the caller's thread.
    """
    return _results(chats, whole("max_workers", max_workers, 1))


def _results(chats: Iterable[ChatBuilder], max_workers: int) -> Iterator[Result]:
    workers = Workers(max_workers)
    try:
        try:
            for chat in chats:
                workers.submit(partial(_execute, chat))
                if workers.running >= max_workers:
                    yield workers.next_result()
        except Exception:  # of the iterable: what runs is completed before it is raised
            while workers.running:
                yield workers.next_result()
            raise
        while workers.running:
            yield workers.next_result()
    except BaseException as error:
        _attach(workers.finished, error)
        raise
    finally:
        workers.stop()


def _execute(chat: ChatBuilder, index: int, token: CancelToken) -> Result:
    result = Result(index)
    try:
        if not hasattr(chat, "execute_with_stats"):
            raise ConfigurationError(f"chats[{index}] must be a chat (client.chat().user(…)), not {type(chat).__name__}")
        result.response, result.stats = chat.execute_with_stats(cancel=token)
    except Exception as error:  # noqa: BLE001  a function of the caller's may raise anything; the other results stay
        result.error = error
    return result


def _index(result: Result) -> int:
    return result.index


def _attach(results: list[Result], error: BaseException) -> None:
    """Puts the finished results into the error's attribute `results`, in the order of the chats."""
    from contextlib import suppress

    with suppress(AttributeError):  # an exception class without a dict
        error.results = sorted(results, key=_index)  # type: ignore[attr-defined]
