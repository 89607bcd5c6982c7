"""A response that matches a JSON Schema: python examples/structured.py [provider/model]"""

import json
import sys

from ailib_sync import AiClient

CITY = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "country": {"type": "string"},
        "people": {"type": "integer"},
        "sights": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name", "country", "people", "sights"],
    "additionalProperties": False,
}

client = AiClient(sys.argv[1] if len(sys.argv) > 1 else "embedded/echo")
response = client.chat().user("Describe Rome").response_format(CITY, name="city").execute()
if response.refusal or response.finish_reason != "end_turn":
    sys.exit(f"no complete response: {response.refusal or response.finish_reason}")
city = json.loads(response.content)
print(f"{city['name']} has {city['people']} people. To see: {', '.join(city['sights'])}")
