"""Every address of WebNet Trainer: pages per app, the API under /api/, the admin, and accounts."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path, reverse_lazy
from django.views.i18n import JavaScriptCatalog

from webnet import views

urlpatterns = [
    path("", include("datasets.urls")),
    path("", include("annotations.urls")),
    path("", include("training.urls")),
    path("login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path(
        "password/",
        auth.PasswordChangeView.as_view(
            template_name="registration/password.html", success_url=reverse_lazy("password_done")
        ),
        name="password",
    ),
    path(
        "password/done/",
        auth.PasswordChangeDoneView.as_view(template_name="registration/password_done.html"),
        name="password_done",
    ),
    path("admin/", admin.site.urls),
    path("jsi18n/", views.public(JavaScriptCatalog.as_view()), name="jsi18n"),
    path("i18n/setlang/", views.set_language, name="set_language"),
    path("api/", include("webnet.api_urls")),
]
