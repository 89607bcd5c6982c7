"""Exceptions that a signal handler of the program raised, distinguished from those of the network."""

from __future__ import annotations

from signal import getsignal, valid_signals


def raised_by_signal_handler(error: BaseException) -> BaseException | None:
    """The exception of a signal handler that is this one or its cause; None if there is none.

    A handler may raise TimeoutError for a limit of its own. It runs in the middle of a read, and its exception looks like that
    of the socket.
    """
    handlers = {getattr(getsignal(each), "__func__", getsignal(each)) for each in valid_signals()}
    codes = {code for handler in handlers if (code := getattr(handler, "__code__", None)) is not None}
    raised = None
    cause: BaseException | None = error
    while cause is not None and codes:
        trace = cause.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code in codes:
                raised = cause  # not yet the result: urllib3 gives its own exception the traceback of its cause
            trace = trace.tb_next
        cause = cause.__cause__ or next((each for each in reversed(cause.args) if isinstance(each, BaseException)), None)
    return raised
