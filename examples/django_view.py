"""A Django view that streams. In a project: path("ask", ask). Alone: python examples/django_view.py runserver"""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ailib_sync import AiClient, AiLibError

#: One client for the process: threads share its connections, a forked worker opens new ones.
ai = AiClient(os.environ.get("AILIB_MODEL", "embedded/echo"), timeout=120)


@csrf_exempt
@require_POST
def ask(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Streams the response. When the browser disconnects, Django closes the stream, and with it the connection."""
    try:
        stream = ai.chat().user(request.body.decode()).stream()
    except AiLibError as error:
        return HttpResponse(str(error), status=502, content_type="text/plain")
    return StreamingHttpResponse(stream.text(), content_type="text/plain")


urlpatterns = [path("ask", ask)]

if __name__ == "__main__":
    settings.configure(DEBUG=False, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY=os.urandom(32).hex())
    execute_from_command_line(sys.argv)
