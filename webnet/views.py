"""The few views that belong to no app: language, the API's page, tokens."""

from collections.abc import Callable
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.i18n import set_language as django_set_language
from drf_spectacular.utils import extend_schema, inline_serializer
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.authtoken.views import ObtainAuthToken
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView

from webnet.api import StrictJSONParser

View = Callable[..., HttpResponseBase]


def public(view: View) -> View:
    """Mark a view as visible without login."""
    return login_not_required(view)


@login_not_required
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the language that somebody chose, logged in or not."""
    return django_set_language(request)


# Swagger's page sets style attributes from its own script files; nothing else is loosened, and for this page alone.
@method_decorator(csp_update({"style-src": [SELF, "'unsafe-inline'"]}), name="dispatch")
class ApiPage(SpectacularSwaggerSplitView):
    """The API described for people, from the OpenAPI schema."""


class TokenThrottle(AnonRateThrottle):
    scope = "token"


class Token(ObtainAuthToken):
    """Give the token of an account, for programs that have no session."""

    throttle_classes = [TokenThrottle]
    parser_classes = [StrictJSONParser, FormParser]


class Me(APIView):
    """Who is asking."""

    @extend_schema(
        responses=inline_serializer(
            "Me",
            {
                "id": serializers.IntegerField(),
                "username": serializers.CharField(),
                "staff": serializers.BooleanField(),
            },
        )
    )
    def get(self, request: Request) -> Response:
        user: Any = request.user
        return Response({"id": user.pk, "username": user.get_username(), "staff": user.is_staff})
