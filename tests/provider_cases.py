"""Every conversation there is to try: each live provider, each format it speaks, each model its manifest has a rule for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from ailib_sync.dialects.dialect import find
from ailib_sync.dialects.options import wire_name
from ailib_sync.registry.manifest import Manifest, builtin_manifests, matches
from tests.dialects.samples import ALL, Samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ailib_sync import AiClient
    from ailib_sync.testing import FakeProvider, RecordedRequest
    from ailib_sync.types.response import ChatResponse

#: A name that no rule is about.
PLAIN_MODEL = "plain-model"


def wire_names(option: str) -> set[str]:
    """The names of the option on the wire in all dialects, at any depth of the body."""
    return set().union(*(samples.wire_names.get(option, ()) for samples in ALL.values()))


@dataclass(frozen=True)
class Case:
    """One provider in one format, with one model. `dialect` is what the caller names, None for the model's own."""

    provider: str
    dialect: str | None
    model: str

    def __str__(self) -> str:
        return "-".join(filter(None, (self.provider, self.dialect, self.model)))

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest as it is for this model."""
        return Manifest.load(self.provider).for_model(self.model, self.dialect)


@lru_cache(maxsize=1)
def cases() -> list[Case]:
    """Each provider that can be called × its formats × a plain model and one for each glob that is about that format. Of
    models that the manifest treats alike, the first."""
    return list(_unlike(every_case()))


def every_case() -> Iterator[Case]:
    """The same with models that are treated alike."""
    return (case for manifest in live_manifests() for case in _cases_of(manifest))


def _unlike(alike: Iterable[Case]) -> Iterator[Case]:
    seen: dict[tuple[str, str | None], list[Manifest]] = {}
    for case in alike:
        known = seen.setdefault((case.provider, case.dialect), [])
        if case.manifest not in known:
            known.append(case.manifest)
            yield case


def live_manifests() -> list[Manifest]:
    return [manifest for manifest in builtin_manifests() if manifest.status not in ("retired", "not_chat")]


def _cases_of(manifest: Manifest) -> Iterator[Case]:
    for dialect in (None, *manifest.dialects):
        spoken = manifest.for_dialect(dialect) if dialect else manifest
        for model in dict.fromkeys((PLAIN_MODEL, *map(fitting, _globs(spoken)))):
            yield Case(manifest.id, dialect, model)


def _globs(manifest: Manifest) -> list[str]:
    return [glob for patterns in manifest.models for glob in patterns.split("|")]


def fitting(glob: str) -> str:
    """A model's name that fits the glob."""
    head, *rest = glob.replace("?", "2").split("*")
    name = head + "".join(part if not part else f"{'x' if number or head else ''}{part}" for number, part in enumerate(rest))
    assert matches(glob, name), (glob, name)
    return name


@dataclass
class Talk:
    """A case with the provider that answers and a client of it."""

    case: Case
    fake: FakeProvider
    client: AiClient
    first: int

    @property
    def manifest(self) -> Manifest:
        return self.case.manifest

    @property
    def dialect(self) -> str:
        return self.manifest.dialect

    @property
    def samples(self) -> Samples:
        return ALL[self.dialect]

    def can(self, capability: str) -> bool:
        return bool(self.manifest.capabilities.get(capability))

    def takes(self, option: str) -> bool:
        """Whether the option has a name here."""
        return bool(wire_name(option, self.manifest, find(self.dialect).chat.parameters)[0])

    def warnings(self, answer: ChatResponse) -> list[str]:
        """The answer's warnings but for those that the model retires, which come with the years."""
        return [text for text in answer.warnings if not text.startswith(f"{self.case.provider}/{self.case.model} ")]

    @property
    def sent(self) -> list[RecordedRequest]:
        """What arrived in this test."""
        return self.fake.requests[self.first :]

    @property
    def body(self) -> Any:
        """The last body that arrived."""
        return self.sent[-1].json

    def execute(self, chat: Any, stream: bool) -> Any:
        """The answer, whichever way it comes."""
        if not stream:
            return chat.execute()
        with chat.stream() as events:
            return events.collect()


def values_named(body: Any, names: set[str]) -> list[Any]:
    """Every value that stands under one of the names in the body; messages and tools are the caller's own and not looked at."""
    found: list[Any] = []
    if isinstance(body, dict):
        for key, value in body.items():
            if key in names:
                found.append(value)
            elif key not in ("messages", "contents", "input", "tools", "system", "systemInstruction", "instructions"):
                found += values_named(value, names)
    elif isinstance(body, list):
        for item in body:
            found += values_named(item, names)
    return found


def strings_of(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_of(inner)
