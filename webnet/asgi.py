"""The web process: pages and API over HTTP, live updates over websockets."""

import os
from functools import partialmethod

from daphne.http_protocol import WebRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webnet.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

# Twisted would parse every form in memory before Django sees it: a 604 MB upload took 8.4 GB and 100 s, and
# without that 0.7 GB and 15 s. Django reads the body itself, and spools files to disk.
WebRequest.__init__ = partialmethod(WebRequest.__init__, parsePOSTFormSubmission=False)

# These import models, which exist only once Django is set up.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.urls import path  # noqa: E402

from training.consumers import LiveConsumer, NoSuchSocket  # noqa: E402

sockets = URLRouter(
    [
        path("ws/datasets/<int:dataset_id>/", LiveConsumer.as_asgi()),
        path("ws/datasets/<int:dataset_id>/runs/<int:run_id>/", LiveConsumer.as_asgi()),
        path("<path:rest>", NoSuchSocket.as_asgi()),
    ]
)
application = ProtocolTypeRouter(
    {"http": django_application, "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(sockets))}
)
