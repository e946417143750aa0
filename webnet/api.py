"""What every endpoint of the API shares: pagination, and refusals that say what to do."""

import io
import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.views import exception_handler

from datasets.refusals import Refusal


class StrictJSONParser(JSONParser):
    """JSON that can be followed and written down again; anything else is refused like any other malformed body.

    Python's own parser gives up on deep nesting, and takes halves of characters ("\\ud800") that no text can hold.
    """

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        raw = stream.read()
        try:
            data = super().parse(io.BytesIO(raw), media_type, parser_context)
            if b"\\u" in raw:
                json.dumps(data, ensure_ascii=False).encode()
        except RecursionError:
            raise exceptions.ParseError(_("The JSON is nested too deeply.")) from None
        except UnicodeEncodeError:
            raise exceptions.ParseError(_("The JSON holds half a character (an unpaired surrogate).")) from None
        return data


class Pagination(PageNumberPagination):
    """`?page=` and `?page_size=` (at most 200)."""

    page_size = 60
    page_size_query_param = "page_size"
    max_page_size = 200


def refusal_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Give every refusal of the API one shape: code, message, and where they exist errors and current."""
    response = exception_handler(error, context)
    if response is None:
        return None
    body: dict[str, Any] = {"code": _code(error), "message": _message(error)}
    if isinstance(error, exceptions.ValidationError):
        body["errors"] = response.data
    if isinstance(error, Refusal) and error.current is not None:
        body["current"] = error.current
    response.data = body
    return response


def _code(error: Exception) -> str:
    if isinstance(error, Http404):
        return "not_found"
    if isinstance(error, PermissionDenied):
        return "permission_denied"
    if isinstance(error, exceptions.ValidationError):
        return "invalid"
    return str(getattr(getattr(error, "detail", None), "code", "error"))


def _message(error: Exception) -> str:
    if isinstance(error, Http404):
        return _("There is nothing here that you may see. Check the address, or ask for access to the dataset.")
    if isinstance(error, exceptions.ValidationError):
        return _first_message(error.detail)
    return str(getattr(error, "detail", error))


def _first_message(detail: Any, field: str = "") -> str:
    """The first complaint of a serializer as one sentence, with the name of its field."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()), ("", ""))
        return _first_message(inner, "" if name == "non_field_errors" else str(name))
    if isinstance(detail, list):
        return _first_message(next((item for item in detail if item), ""), field)
    return f"{field}: {detail}" if field else str(detail)
