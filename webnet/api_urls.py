"""The one router of the API: each app brings its own addresses below /api/."""

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from webnet import views

# LoginRequiredMiddleware answers with a redirect to the login page; DRF's own authentication answers with 401.
urlpatterns = [
    path("token/", views.Token.as_view(), name="token"),
    path("me/", views.Me.as_view(), name="me"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", login_not_required(views.ApiPage.as_view(url_name="schema")), name="api-docs"),
    path("", include("datasets.api_urls")),
    path("", include("annotations.api_urls")),
    path("", include("training.api_urls")),
]
