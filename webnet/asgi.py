"""The web process: pages and API over HTTP, live updates over websockets."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webnet.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

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
