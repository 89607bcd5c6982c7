"""`Route`: everything that a call needs of the client that sends it. A value; it knows no client."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..errors import AiLibError
    from ..http.transport import Transport
    from .breaker import CircuitBreaker
    from .endpoint import Endpoints
    from .limiter import Limiter
    from .retry import RetryBudget, RetryPolicy


class Route:
    """The way to one provider: its endpoints, its connections, and the policies that bound its calls. Not changed once made.

    `on_retry(error, attempt, wait)` is called before each wait for another attempt.
    """

    __slots__ = ("breaker", "budget", "endpoints", "limiter", "on_retry", "retry", "strict", "transport")

    def __init__(
        self,
        endpoints: Endpoints,
        transport: Transport,
        retry: RetryPolicy,
        budget: RetryBudget,
        limiter: Limiter | None = None,
        breaker: CircuitBreaker | None = None,
        on_retry: Callable[[AiLibError, int, float], object] | None = None,
        strict: bool = False,
    ) -> None:
        self.endpoints = endpoints
        self.transport = transport
        self.retry = retry
        self.budget = budget
        self.limiter = limiter
        self.breaker = breaker
        self.on_retry = on_retry
        self.strict = strict
