"""Samples of every dialect, one module each.

Generic tests look them up by the dialect's name, so that a new dialect adds a module here and changes no test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from ailib_sync.dialects.dialect import NAMES
from ailib_sync.errors import RemoteError

#: A stream: (event name, JSON value) of each frame. A value of None is the `[DONE]` mark.
Frames = list[tuple[str, Any]]


@dataclass(frozen=True)
class FastSamples:
    """Blocks of server-sent events for the template path: what makes deltas, and what comes before, between and after them."""

    text: Callable[[str], bytes]
    thinking: Callable[[str], bytes]
    #: None where calls are always complete.
    arguments: Callable[[str], bytes] | None
    first: list[bytes]
    between: list[bytes]
    last: list[bytes]


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What generic tests need to know of a dialect."""

    #: `provider/model` of a provider that has the dialect.
    model: str
    #: The path of a request to the dialect's service.
    path: str
    #: Complete responses, streams and error bodies.
    responses: list[Any]
    streams: list[Frames]
    errors: list[Any]
    #: Option → its names on the wire, at any depth of the body, for all providers.
    wire_names: Mapping[str, set[str]]
    #: A field of the format that no option sets.
    extra: dict[str, Any]
    #: The values of `reasoning.style` in a manifest.
    reasoning_styles: set[str]
    #: What the format has not: "stop", "image URLs", "documents", "audio".
    unsupported: set[str] = field(default_factory=set)
    #: Errors that have no word of their own in the format → the class of their status.
    less_exact_errors: Mapping[str, type[RemoteError]] = field(default_factory=dict)
    #: The names of the format in the conformance recordings.
    recorded_as: tuple[str, ...]
    #: (model, path) for the mock server of tests/servers/test_aimock.py, if that has the format.
    aimock: tuple[str, str] | None = None
    #: None where no frame is a delta only (see `Streaming.delta_of`).
    fast: FastSamples | None = None


def sse(value: Any, name: str = "") -> bytes:
    """A block of server-sent events with a JSON value."""
    event = f"event: {name}\n" if name else ""
    return f"{event}data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def samples_of(dialect: str) -> Samples:
    samples: Samples = import_module(f"tests.dialects.samples.{dialect}").SAMPLES
    return samples


ALL: dict[str, Samples] = {name: samples_of(name) for name in NAMES}
#: The dialects whose streams the template path reads.
FAST: dict[str, FastSamples] = {name: samples.fast for name, samples in ALL.items() if samples.fast is not None}
#: Error bodies of all dialects.
ERRORS: list[Any] = [error for samples in ALL.values() for error in samples.errors]
