"""System checks that explain a bad setting before it does harm."""

import os
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register()
def data_folder_is_writable(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The data folder holds the database, the images and the runs: without it nothing works."""
    if os.access(settings.DATA_DIR, os.W_OK):
        return []
    hint = "Make it writable for this user, or name another folder in WEBNET_DATA."
    return [Error(f"The data folder {settings.DATA_DIR} cannot be written to.", hint=hint, id="webnet.E001")]


@register()
def data_folder_is_one_that_tensorflow_can_read(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """TensorFlow takes brackets and backslashes in a path for a pattern, and does not find the checkpoint there."""
    if not set("[]\\") & set(str(settings.DATA_DIR)):
        return []
    hint = "Move the program, or name another folder in WEBNET_DATA."
    message = f"No training can go on in {settings.DATA_DIR}: its name has square brackets or backslashes."
    return [Error(message, hint=hint, id="webnet.E002")]


@register()
def browser_libraries_are_installed(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The annotation page needs OpenSeadragon and uPlot, which come from npm."""
    if (settings.BASE_DIR / "node_modules" / "openseadragon").is_dir():
        return []
    hint = "Run `make run`, which installs them, or `npm ci --ignore-scripts`."
    return [Warning("The browser libraries are not installed.", hint=hint, id="webnet.W001")]


@register()
def several_machines_need_shared_parts(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Redis as the broker with SQLite as the database works on one machine only."""
    if settings.REDIS_URL and "sqlite" in settings.DATABASES["default"]["ENGINE"]:
        hint = "Set DATABASE_URL to a PostgreSQL database where workers run on other machines."
        return [Warning("REDIS_URL is set, but the database is SQLite.", hint=hint, id="webnet.W002")]
    return []
