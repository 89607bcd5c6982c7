"""What the message of an error shows, for services whose code and status are those of any invalid request. Pure functions.

`tests/error_samples.py` has a sample of each phrase, with its source.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: How much of a message is searched.
MAX_CHARACTERS = 4000

#: The prompt does not fit. Phrases about tokens per minute must not match.
#: https://github.com/badlogic/pi-mono/blob/main/packages/ai/src/utils/overflow.ts and
#: https://www.alibabacloud.com/help/zh/model-studio/error-code list many of them.
_TOO_LARGE = (
    r"prompt (?:is )?too long",
    r"input is too long",
    r"total length of all messages is too long",
    r"prompt exceeds max length",
    r"too many input tokens",
    r"input tokens exceeded",
    r"input token count is [\d,]+ but model only supports",
    r"prompt token count of [\d,]+ exceeds the limit",
    r"exceeds the maximum number of tokens allowed",
    r"exceeded model token limit",
    r"cannot exceed the total tokens limit",
    r"must be less than max_seq_len",
    r"range of input length should be",
    r"reduce the length of the (?:messages|prompt|input)",
    r"maximum (?:context|prompt|model) length",
    r"model'?s (?:maximum )?context length",
    r"(?:than|exceeds?|exceeded) (?:the )?(?:max(?:imum)? )?context length",
    r"context[_ ]length[_ ]exceeded",
    r"context size has been exceeded",
    r"available context size",
    r"exceed context limit",
    r"exceeds? (?:the )?context window",
    r"exceeded this model context window",
    r"context window exceeds limit",
    r"contextwindowexceedederror",
    r"too large to process\. increase the physical batch size",
    r"`inputs` (?:tokens \+ `max_new_tokens` must be|must have less than)",
)

#: The name of a model, quoted or not, between two words of a message.
_NAME = r"[ :]{0,2}[\"'`]?[^\s\"'`]{0,120}[\"'`]?[ :]{0,2}"
_VERB = (
    r"(?:(?:is |was )?not found|does not exist|doesn't exist|not exist\b|is not supported by any provider"
    r"|has been decommissioned|has reached the end of its life)"
)
_NOT_FOUND = (
    rf"\bmodel{_NAME}{_VERB}",
    r"\b(?:unknown|no such) model\b",
    r"\binvalid model(?::| name| ?[\"'`])",
    r"is not a valid model",
    r"model identifier is invalid",
)

_AUTHENTICATION = (
    r"(?:incorrect|invalid|wrong|missing|no) (?:x-)?api[- _]?key",
    r"api[- _]?key (?:is )?(?:not valid|invalid|incorrect|expired|missing)",
    r"your api key is valid",
    r"invalid (?:bearer |access |authentication )?token",
    r"authentication (?:fails|failed|error)",
    r"unregistered callers",
)

_QUOTA = (
    r"credit balance is too low",
    r"used all available credits",
    r"doesn't have any credits",
    r"monthly spending limit",
    r"insufficient (?:account )?(?:balance|credits?|funds)",
)

#: Standard name → its phrases, and the less exact names that it replaces.
_PHRASES = {
    "request_too_large": (_TOO_LARGE, ("invalid_request", "server_error")),
    "authentication": (_AUTHENTICATION, ("invalid_request", "permission_denied", "server_error")),
    "quota_exhausted": (_QUOTA, ("invalid_request", "permission_denied", "rate_limited")),
    "not_found": (_NOT_FOUND, ("invalid_request", "server_error")),
}


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...]:
    # Compiled for the first error that needs them.
    return tuple(
        (name, re.compile("|".join(phrases), re.IGNORECASE), less_exact) for name, (phrases, less_exact) in _PHRASES.items()
    )


def more_exact(name: str, text: str) -> str:
    """The standard name that a message shows, if it is more exact than `name`; otherwise `name`."""
    text = text[:MAX_CHARACTERS]
    return next((exact for exact, pattern, less in _patterns() if name in less and pattern.search(text)), name)
