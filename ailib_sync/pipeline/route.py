"""`Route`: everything that a call needs of the client that sends it. A value; it knows no client."""

from __future__ import annotations

from .._dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..errors import AiLibError
    from ..http.transport import Transport
    from .breaker import CircuitBreaker
    from .endpoint import Endpoints
    from .limiter import Limiter
    from .retry import RetryBudget, RetryPolicy


@dataclass(frozen=True, slots=True)
class Route:
    """The way to one provider: its endpoints, its connections, and the policies that bound its calls.

    `on_retry(error, attempt, wait)` is called before each wait for another attempt.
    """

    endpoints: Endpoints
    transport: Transport
    retry: RetryPolicy
    budget: RetryBudget
    limiter: Limiter | None = None
    breaker: CircuitBreaker | None = None
    on_retry: Callable[[AiLibError, int, float], object] | None = None
    strict: bool = False
