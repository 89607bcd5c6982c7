"""Exceptions that a signal handler of the program raised, distinguished from those that the code around them expects."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any


def reraise_from_signal(error: BaseException) -> None:
    """Raises the exception of a signal handler, if `error` is one or comes from one.

    For `except` clauses with a common exception, such as ValueError: a handler can raise it at any moment.
    """
    raised = raised_by_signal_handler(error)
    if raised is not None:
        raise raised


def raised_by_signal_handler(error: BaseException) -> BaseException | None:
    """The exception of a signal handler that is this one or its cause; None if there is none.

    A handler may raise TimeoutError for a limit of its own. It runs in the middle of a read, and its exception looks like that
    of the socket.
    """
    codes: set[CodeType] | None = None
    raised = None
    cause: BaseException | None = error
    while cause is not None:
        # The first frame is the one that caught the exception. A handler is called by it, or further down.
        trace = cause.__traceback__ and cause.__traceback__.tb_next
        if trace is not None and codes is None:
            codes = _handler_codes()
        while trace is not None:
            if trace.tb_frame.f_code in (codes or ()):
                raised = cause  # not yet the result: urllib3 gives its own exception the traceback of its cause
            trace = trace.tb_next
        cause = _cause_of(cause)
    return raised


def _handler_codes() -> set[CodeType]:
    """The code of all signal handlers that are written in Python."""
    from _signal import getsignal, valid_signals  # type: ignore[import-not-found]  # without the enums of `signal`: 0.1 ms

    handlers = {getsignal(number) for number in valid_signals()}
    return {code for handler in handlers if (code := _code_of(handler)) is not None}


def _code_of(handler: Any) -> CodeType | None:
    while hasattr(handler, "func"):  # functools.partial
        handler = handler.func
    function = getattr(handler, "__func__", handler)
    code: CodeType | None = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return code


def _cause_of(error: BaseException) -> BaseException | None:
    cause = error.__cause__ or next((each for each in reversed(error.args) if isinstance(each, BaseException)), None)
    context = error.__context__
    if cause is not None or context is None or context.__traceback__ is None:
        return cause
    # An exception that replaced its context passed the frame that caught the context. The context of an exception can also be
    # one that the program handles while it makes the call: its frame is not part of the call.
    trace = error.__traceback__
    while trace is not None and trace.tb_frame is not context.__traceback__.tb_frame:
        trace = trace.tb_next
    return context if trace is not None else None
