"""A second provider, used after the first one failed. Uses two fake providers: python examples/fallbacks.py"""

from ailib_sync import AiLibError, RetryPolicy, Timeout
from ailib_sync.testing import FakeProvider


def show_retry(error: AiLibError, attempt: int, wait: float) -> None:
    print(f"attempt {attempt}: {error}; the next in {wait:.1f} s")


with FakeProvider("openai") as openai, FakeProvider("anthropic") as anthropic:
    openai.fail(503, times=2)
    anthropic.reply("Hello from the second!")
    client = openai.client(
        "gpt-4o",
        fallbacks=[anthropic.client("claude-sonnet-5-5")],
        retry=RetryPolicy(max_retries=1, base_delay=0.1),
        timeout=Timeout(connect=5, read=30, total=60),
        on_retry=show_retry,
    )
    response, stats = client.chat().user("Hello").execute_with_stats()
    print(f"{response.provider} answered after {len(stats.attempts)} attempts: {response.content}")
