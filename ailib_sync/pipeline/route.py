"""`Route`: everything that a call needs from its client. A value; it has no reference to the client."""

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
    """How calls reach one provider: its endpoints, the connections, and the policies of its client. It is never changed.

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
