"""A stream with thinking: python examples/stream.py [provider/model]"""

import sys

from ailib_sync import AiClient, ContentDelta, StreamEnd, StreamInterrupted, ThinkingDelta

client = AiClient(sys.argv[1] if len(sys.argv) > 1 else "embedded/echo")
try:
    with client.chat().user("Tell me a story").reasoning("low", visible=True).stream() as stream:
        for event in stream:
            match event:
                case ThinkingDelta(text):
                    print(text, end="", file=sys.stderr, flush=True)
                case ContentDelta(text):
                    print(text, end="", flush=True)
                case StreamEnd(finish_reason):
                    print(f"\n[{finish_reason}]")
    print(f"first token after {stream.stats.time_to_first_token_ms:.0f} ms", file=sys.stderr)
except StreamInterrupted as error:
    print(f"\ninterrupted: {error}; {len(error.partial.content) if error.partial else 0} characters arrived", file=sys.stderr)
