"""Whose request it is: the address that wrong passwords and tokens are counted by, behind a proxy too."""

from __future__ import annotations

import ipaddress
from typing import Any

from rest_framework.throttling import BaseThrottle


def client_address(request: Any) -> str | None:
    """The address that the reverse proxy has seen, or that of the connection where there is none; None outside of HTTP.

    It is what the throttles of Django REST framework count by: the last entry of X-Forwarded-For, if NUM_PROXIES says
    that a proxy of ours has written it. The entries before it are the client's to invent. daphne's --proxy-headers
    believes the first one and is therefore not used: who guesses passwords would be somebody else at every guess.
    """
    address = BaseThrottle().get_ident(request)
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        # A proxy that adds a port, or whose header is broken: the table of attempts takes addresses only.
        return request.META.get("REMOTE_ADDR")  # type: ignore[no-any-return]
