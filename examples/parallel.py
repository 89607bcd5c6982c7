"""Many chats at the same time; if one fails, the others continue. Uses a fake provider: python examples/parallel.py"""

from ailib_sync import Limiter
from ailib_sync.parallel import as_completed, run_all
from ailib_sync.testing import FakeProvider

LINES = ["good morning", "good night", "see you soon", "thank you"]

with FakeProvider("openai") as provider:
    client = provider.client("gpt-4o", limiter=Limiter(max_in_flight=2), retry=0)
    provider.fail(400)  # the first request gets an error response

    for result in run_all([client.chat().user(f"Translate: {line}") for line in LINES], max_workers=4):
        print(LINES[result.index], "→", result.content if result.error is None else result.error)

    for result in as_completed(client.chat().user(f"Translate: {line}") for line in LINES):
        assert result.stats is not None
        print(f"{LINES[result.index]} took {result.stats.latency_ms:.1f} ms")
