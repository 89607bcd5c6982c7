"""A question about an image: python examples/images.py [provider/model [file]]"""

import sys
from base64 import b64decode

from ailib_sync import AiClient, Image

#: One red pixel.
PIXEL = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")

client = AiClient(sys.argv[1] if len(sys.argv) > 1 else "embedded/echo")
image = Image.from_path(sys.argv[2]) if len(sys.argv) > 2 else Image.from_bytes(PIXEL, "image/png")
print(client.chat().user(["What is in this image?", image]).execute().content)
