"""API addresses of the app annotations, below /api/."""

from django.urls import URLPattern

app_name = "annotations-api"
urlpatterns: list[URLPattern] = []
