"""App configurations of the project itself: start-up checks, and the branded admin in place of the stock one."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class WebnetConfig(AppConfig):
    name = "webnet"

    def ready(self) -> None:
        from webnet import checks, searching  # the first registers the system checks

        assert checks
        searching.install()


class WebnetAdminConfig(AdminConfig):
    default_site = "webnet.admin.WebnetAdminSite"
