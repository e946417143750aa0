"""The web process: pages and API over HTTP, live updates over websockets."""

import os

import django
from daphne import http_protocol

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webnet.settings")
django.setup(set_prefix=False)

# These read settings or import models, which are there only once Django is set up.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.urls import path  # noqa: E402

from annotations.consumers import ArtworkConsumer  # noqa: E402
from training.consumers import LiveConsumer, NoSuchSocket  # noqa: E402
from webnet import bodies  # noqa: E402

http_protocol.WebRequest = bodies.Request

sockets = URLRouter(
    [
        path("ws/datasets/<int:dataset_id>/", LiveConsumer.as_asgi()),
        path("ws/datasets/<int:dataset_id>/runs/<int:run_id>/", LiveConsumer.as_asgi()),
        path("ws/datasets/<int:dataset_id>/artworks/<int:artwork_id>/", ArtworkConsumer.as_asgi()),
        path("<path:rest>", NoSuchSocket.as_asgi()),
    ]
)
application = ProtocolTypeRouter(
    {"http": bodies.Handler(), "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(sockets))}
)
