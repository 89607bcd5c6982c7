"""A synchronous client for many AI providers. Names are loaded at their first use, so the import of the package is fast."""

from ._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .builder import ChatBuilder as ChatBuilder
    from .client import AiClient as AiClient
    from .conversation import Conversation as Conversation
    from .embedding import similarity as similarity
    from .errors import AiLibError as AiLibError
    from .errors import Attempt as Attempt
    from .errors import AuthenticationError as AuthenticationError
    from .errors import CallTimeout as CallTimeout
    from .errors import Cancelled as Cancelled
    from .errors import CircuitOpen as CircuitOpen
    from .errors import ConfigurationError as ConfigurationError
    from .errors import Conflict as Conflict
    from .errors import ConnectError as ConnectError
    from .errors import ConnectionLost as ConnectionLost
    from .errors import ConnectTimeout as ConnectTimeout
    from .errors import ContentTimeout as ContentTimeout
    from .errors import DeadlineExceeded as DeadlineExceeded
    from .errors import InvalidRequest as InvalidRequest
    from .errors import ManifestError as ManifestError
    from .errors import NotFound as NotFound
    from .errors import Overloaded as Overloaded
    from .errors import PermissionDenied as PermissionDenied
    from .errors import PoolTimeout as PoolTimeout
    from .errors import ProtocolError as ProtocolError
    from .errors import ProviderTimeout as ProviderTimeout
    from .errors import ProxyError as ProxyError
    from .errors import QuotaExhausted as QuotaExhausted
    from .errors import RateLimited as RateLimited
    from .errors import ReadTimeout as ReadTimeout
    from .errors import RedirectRefused as RedirectRefused
    from .errors import RemoteError as RemoteError
    from .errors import RequestTooLarge as RequestTooLarge
    from .errors import ResponseTooLarge as ResponseTooLarge
    from .errors import ServerError as ServerError
    from .errors import StreamConsumed as StreamConsumed
    from .errors import StreamInterrupted as StreamInterrupted
    from .errors import TlsError as TlsError
    from .errors import TransportError as TransportError
    from .errors import WriteTimeout as WriteTimeout
    from .http.timeouts import CancelToken as CancelToken
    from .http.timeouts import Limits as Limits
    from .http.timeouts import Timeout as Timeout
    from .parallel import Result as Result
    from .parallel import as_completed as as_completed
    from .parallel import run_all as run_all
    from .pipeline.breaker import CircuitBreaker as CircuitBreaker
    from .pipeline.explanation import Explanation as Explanation
    from .pipeline.limiter import Limiter as Limiter
    from .pipeline.retry import RetryPolicy as RetryPolicy
    from .pipeline.stream import ChatStream as ChatStream
    from .registry.manifest import Manifest as Manifest
    from .registry.models import ModelInfo as ModelInfo
    from .registry.models import models as models
    from .types.embeddings import EmbeddingResponse as EmbeddingResponse
    from .types.events import ContentDelta as ContentDelta
    from .types.events import Metadata as Metadata
    from .types.events import PartialToolCall as PartialToolCall
    from .types.events import StreamEnd as StreamEnd
    from .types.events import StreamingEvent as StreamingEvent
    from .types.events import ThinkingDelta as ThinkingDelta
    from .types.events import ToolCallEnded as ToolCallEnded
    from .types.events import ToolCallStarted as ToolCallStarted
    from .types.history import dump_messages as dump_messages
    from .types.history import load_messages as load_messages
    from .types.messages import Audio as Audio
    from .types.messages import Document as Document
    from .types.messages import Image as Image
    from .types.messages import Message as Message
    from .types.messages import MessageRole as MessageRole
    from .types.messages import Opaque as Opaque
    from .types.messages import Text as Text
    from .types.messages import Thinking as Thinking
    from .types.messages import ToolResult as ToolResult
    from .types.response import CallStats as CallStats
    from .types.response import ChatResponse as ChatResponse
    from .types.response import RateLimit as RateLimit
    from .types.response import Usage as Usage
    from .types.tools import Tool as Tool
    from .types.tools import ToolCall as ToolCall

_NAMES_IN = {
    "http.timeouts": "CancelToken Limits Timeout",
    "pipeline.breaker": "CircuitBreaker",
    "builder": "ChatBuilder",
    "registry.models": "ModelInfo models",
    "client": "AiClient",
    "conversation": "Conversation",
    "errors": "AiLibError Attempt AuthenticationError CallTimeout Cancelled CircuitOpen ConfigurationError Conflict "
    "ConnectError ConnectionLost ConnectTimeout ContentTimeout DeadlineExceeded InvalidRequest ManifestError NotFound "
    "Overloaded PermissionDenied PoolTimeout ProtocolError ProviderTimeout ProxyError QuotaExhausted "
    "RateLimited ReadTimeout RedirectRefused RemoteError RequestTooLarge ResponseTooLarge ServerError "
    "StreamConsumed StreamInterrupted TlsError TransportError WriteTimeout",
    "embedding": "similarity",
    "types.embeddings": "EmbeddingResponse",
    "types.events": "ContentDelta Metadata PartialToolCall StreamEnd StreamingEvent ThinkingDelta ToolCallEnded "
    "ToolCallStarted",
    "pipeline.explanation": "Explanation",
    "types.history": "dump_messages load_messages",
    "pipeline.limiter": "Limiter",
    "registry.manifest": "Manifest",
    "types.messages": "Audio Document Image Message MessageRole Opaque Text Thinking ToolResult",
    "parallel": "Result as_completed run_all",
    "types.response": "CallStats ChatResponse RateLimit Usage",
    "pipeline.retry": "RetryPolicy",
    "pipeline.stream": "ChatStream",
    "types.tools": "Tool ToolCall",
}
_MODULE_OF = {name: module for module, names in _NAMES_IN.items() for name in names.split()}

__all__ = ["__version__", *sorted(_MODULE_OF)]


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module 'ailib_sync' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"ailib_sync.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__]
