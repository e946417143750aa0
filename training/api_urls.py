"""API addresses of the app training, below /api/."""

from django.urls import URLPattern

app_name = "training-api"
urlpatterns: list[URLPattern] = []
