"""Many chats at the same time, in a pool of threads: results in order or as completed. One error does not affect the others."""

from __future__ import annotations

from ._dataclass import dataclass
from .errors import AiLibError, ConfigurationError
from .http.timeouts import CancelToken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from .builder import ChatBuilder
    from .types.response import CallStats, ChatResponse

#: Seconds that cancelled calls have to close their connections before the caller continues.
CLOSE_GRACE_SECONDS = 1.0


@dataclass(slots=True)
class Result:
    """The result of one chat: `response` and `stats`, or `error`. `index` is the position of the chat, from 0."""

    index: int
    response: ChatResponse | None = None
    stats: CallStats | None = None
    error: AiLibError | None = None

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

    `on_error="return"` stores each error in its result; `"raise"` raises the first one and cancels the other calls. Ctrl-C
    cancels the running calls, starts no new ones, and is raised within a second.
    """
    if on_error not in ("return", "raise"):
        raise ConfigurationError(f'run_all: on_error must be "return" or "raise", not {on_error!r}')
    results = []
    for result in as_completed(chats, max_workers=max_workers):
        if result.error is not None and on_error == "raise":
            raise result.error
        results.append(result)
    return sorted(results, key=lambda result: result.index)


def as_completed(chats: Iterable[ChatBuilder], *, max_workers: int = 8) -> Iterator[Result]:
    """Like `run_all`, but yields each result as soon as it is complete.

    `chats` is read as workers become free, so it can be infinite. Leaving the loop cancels the running calls.
    """
    if isinstance(max_workers, bool) or not isinstance(max_workers, int) or max_workers < 1:
        raise ConfigurationError(f"max_workers must be a whole number of at least 1, not {max_workers!r}")
    return _results(chats, max_workers)


def _results(chats: Iterable[ChatBuilder], max_workers: int) -> Iterator[Result]:
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait  # takes 10 ms to import

    token = CancelToken()
    pool = ThreadPoolExecutor(max_workers, "ailib_sync")
    running: set[Future[Result]] = set()
    try:
        for index, chat in enumerate(chats):
            running.add(pool.submit(_run, index, chat, token))
            if len(running) == max_workers:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from [future.result() for future in done]
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from [future.result() for future in done]
    finally:
        token.cancel()
        pool.shutdown(wait=False)
        wait(running, CLOSE_GRACE_SECONDS)


def _run(index: int, chat: ChatBuilder, token: CancelToken) -> Result:
    try:
        response, stats = chat.execute_with_stats(cancel=token)
    except AiLibError as error:
        return Result(index, error=error)
    return Result(index, response, stats)
