"""A chat with a history and a Python function as its tool. Uses a fake provider: python examples/conversation.py"""

from ailib_sync import Conversation, ToolCall
from ailib_sync.testing import FakeProvider


def temperature(city: str) -> dict[str, object]:
    """Returns the temperature in a city, in degrees Celsius."""
    return {"city": city, "degrees": 21}


with FakeProvider("openai") as provider:
    provider.reply("Nice to meet you. Where do you live?")
    provider.reply(tool_calls=[ToolCall("call_1", "temperature", {"city": "Ulm"})])
    provider.reply("It is 21 degrees in Ulm.")

    talk = Conversation(provider.client("gpt-4o").chat().system("Be brief."), tools=[temperature])
    print(talk.say("Hello, I am Ada."))
    for event in talk.stream("How warm is it in Ulm?"):
        if event.is_content_delta:
            print(event.as_content_delta.text, end="", flush=True)
    print()
    for message in talk.messages:
        print(f"{message.role}: {message.text or message.content}")
