"""A single request: python examples/hello.py [provider/model]"""

import sys

from ailib_sync import AiClient

client = AiClient(sys.argv[1] if len(sys.argv) > 1 else "embedded/echo")
response, stats = client.chat().system("You are a tutor.").user("Explain closures in one sentence").execute_with_stats()
print(response.content)
print(f"[{response.finish_reason}, {stats.total_tokens} tokens, {stats.latency_ms:.0f} ms]", file=sys.stderr)
