"""A model that calls Python functions: python examples/tools.py [provider/model]"""

import sys
from typing import Literal

from ailib_sync import AiClient, Message, ToolCall


def weather(city: str, unit: Literal["C", "F"] = "C") -> str:
    """Returns the weather in a city.

    Args:
        city: name of the city
        unit: unit of the temperature
    """
    return f"21 °{unit} and sunny in {city}"


def population(city: str) -> int:
    """Returns the number of people who live in a city."""
    return {"Rome": 2_750_000}.get(city, 100_000)


FUNCTIONS = {function.__name__: function for function in (weather, population)}


def result_of(call: ToolCall) -> Message:
    """The result of a tool. An error is sent to the model too, which may correct its call."""
    if call.arguments is None:
        return Message.tool(call.id, f"the arguments are not a JSON object: {call.arguments_raw}", call.name, is_error=True)
    try:
        return Message.tool(call.id, str(FUNCTIONS[call.name](**call.arguments)), call.name)
    except (KeyError, TypeError) as error:
        return Message.tool(call.id, f"{type(error).__name__}: {error}", call.name, is_error=True)


client = AiClient(sys.argv[1] if len(sys.argv) > 1 else "embedded/echo")
chat = client.chat().user("Use both tools, weather and population: what is it like in Rome?").tools(*FUNCTIONS.values())
response = chat.execute()
for _ in range(5):  # limits the rounds: a model may call tools again and again
    if not response.tool_calls:
        break
    for call in response.tool_calls:
        print(f"{call.name}({call.arguments})", file=sys.stderr)
    chat = chat.messages([response.message, *map(result_of, response.tool_calls)])
    response = chat.execute()
print(response.content)
