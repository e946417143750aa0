"""Fixtures that all tests share: a small cast of people, artworks, a real server and a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings as properties

from tests.installation import IN_CI, PASSWORD, ROOT, Server, free_port, skip_or_fail

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


# Properties look at other examples in every run on a person's machine. What CI refuses, it must refuse again.
properties.register_profile("ci", derandomize=True, database=None)
if IN_CI:
    properties.load_profile("ci")


# Whole modules are handed to one process or the other. What takes minutes must not be the last, alone on one of them.
LONGEST = (
    "tests/faults/test_kills.py",
    "tests/e2e/test_main_job.py",
    "tests/pipeline/test_distribution.py",
    "tests/training/test_garden.py",
    "tests/pipeline/test_architectures.py",
    "tests/pipeline/test_training.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest modules first; the others stay in the order by chance that they are in."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.nodeid.split("::")[0], len(order)))


# --- data folder: every test session has its own, so that nothing of a developer's is touched -------------------------
@pytest.fixture(scope="session", autouse=True)
def own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Files of tests go to a folder of their own."""
    from django.conf import settings
    from django.core.signals import setting_changed

    folder = tmp_path_factory.mktemp("data")
    settings.DATA_DIR = folder
    settings.RUNS_DIR = folder / "runs"
    settings.UPLOADS_DIR = folder / "uploads"
    settings.MEDIA_ROOT = folder / "media"
    settings.FILE_UPLOAD_TEMP_DIR = str(folder / "uploads")
    settings.STORAGES["default"] = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(folder / "media")},
    }
    # Whoever has asked for a storage already, while tests were collected, must not keep the one of the installation.
    setting_changed.send(sender=None, setting="STORAGES", value=settings.STORAGES, enter=True)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    for sub in (settings.RUNS_DIR, settings.UPLOADS_DIR, settings.MEDIA_ROOT):
        sub.mkdir(parents=True, exist_ok=True)
    yield folder


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """A page in Italian leaves its language to whatever comes after it in the same process."""
    from django.utils import translation

    yield
    translation.deactivate()


@pytest.fixture(scope="session", autouse=True)
def sockets_close_their_connections() -> Iterator[None]:
    """Channels' test sockets put off closing connections; two at once leave it put off, and a connection open for good.

    PostgreSQL then refuses to drop the test database. They put it off for tests inside one transaction; ours of sockets
    are not.
    """
    from channels.testing import application
    from django.db import close_old_connections

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(application, "no_op", close_old_connections)
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(own_data_folder: Path) -> None:
    """A test database in a file: threads and sockets share it as they do in the embedded default."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(own_data_folder / "test.sqlite3")
        # It need not outlive a power cut, and flushing thousands of transactions takes minutes.
        settings = connection.settings_dict["OPTIONS"]
        settings["init_command"] = settings["init_command"].replace("synchronous=FULL", "synchronous=OFF")


# --- people -----------------------------------------------------------------------------------------------------------
def _user(name: str) -> Any:
    from django.contrib.auth import get_user_model

    return get_user_model().objects.create_user(name, password=PASSWORD)


@pytest.fixture
def owner(db: None) -> Any:
    """The administrator of `dataset`."""
    return _user("olga")


@pytest.fixture
def outsider(db: None) -> Any:
    """Somebody with a dataset of their own and no access to `dataset`."""
    from datasets.services import create_dataset

    user = _user("otto")
    create_dataset(user=user, name="Otto's own", description="")
    return user


@pytest.fixture
def dataset(owner: Any) -> Any:
    from datasets.services import create_dataset

    return create_dataset(user=owner, name="Icons", description="")


def _member(dataset: Any, name: str, role: str) -> Any:
    from datasets.models import Membership

    user = _user(name)
    Membership.objects.create(dataset=dataset, user=user, role=role)
    return user


@pytest.fixture
def curator(dataset: Any) -> Any:
    return _member(dataset, "carla", "curator")


@pytest.fixture
def annotator(dataset: Any) -> Any:
    return _member(dataset, "anna", "annotator")


@pytest.fixture
def viewer(dataset: Any) -> Any:
    return _member(dataset, "vera", "viewer")


@pytest.fixture
def client_of() -> Callable[[Any], Any]:
    """`client_of(user)`: a test client that is logged in as `user` (nobody for None)."""
    from django.test import Client

    def make(user: Any, **options: Any) -> Client:
        client = Client(**options)
        if user is not None:
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return make


@pytest.fixture(scope="session")
def italian_catalogue() -> None:
    """The Italian texts, compiled as `make run` does; Django forgets what it read before."""
    from django.utils.translation.reloader import translation_file_changed

    from webnet.preparation import compile_translation

    for source in (ROOT / "locale").rglob("*.po"):
        compile_translation(source)
        translation_file_changed(None, source.with_suffix(".mo"))


# --- artworks ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    """`picture(width=200, height=150, seed=0)`: bytes of a JPEG that no other seed makes."""
    import pyvips

    def make(width: int = 200, height: int = 150, seed: int = 0, suffix: str = ".jpg") -> bytes:
        red, green, blue = (seed * 37) % 200 + 20, (seed * 91) % 200 + 20, (seed * 151) % 200 + 20
        image = pyvips.Image.black(width, height, bands=3).linear(1, [red, green, blue])
        image = image.draw_rect([255, 255, 255], width // 4, height // 4, width // 3, height // 3, fill=True)
        return bytes(image.cast("uchar").copy(interpretation="srgb").write_to_buffer(suffix))

    return make


@pytest.fixture
def make_artwork(owner: Any, picture: Callable[..., bytes]) -> Callable[..., Any]:
    """`make_artwork(dataset, seed=0, **fields)`: an artwork that went through the real ingest (200 × 150)."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from datasets.models import Artwork
    from datasets.services import add_artwork

    def make(dataset: Any, seed: int = 0, **fields: Any) -> Any:
        upload = SimpleUploadedFile(f"work-{seed}.jpg", picture(seed=seed))
        artwork = add_artwork(dataset=dataset, user=owner, upload=upload)
        if fields:
            Artwork.objects.filter(pk=artwork.pk).update(**fields)
            artwork.refresh_from_db()
        return artwork

    return make


@pytest.fixture
def artwork(dataset: Any, make_artwork: Callable[..., Any]) -> Any:
    return make_artwork(dataset)


@pytest.fixture
def label(dataset: Any) -> Any:
    from annotations.models import Label

    return Label.objects.create(dataset=dataset, name="Angel", colour="#aa3377", shortcut="1")


# --- a real server ----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def offline_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights out of their packages, checked and unpacked once."""
    from training.pipeline import weights

    if not (ROOT / "node_modules" / "@mediapipe" / "objectron").is_dir():
        skip_or_fail("The browser libraries and weights are not installed: run `npm ci --ignore-scripts`.")
    folder = tmp_path_factory.mktemp("weights")
    weights.prepare(folder, node_modules=ROOT / "node_modules")
    return folder


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """`make_server(web=True, clusters=False, serve=False, **env)`: a fresh installation that is running.

    `serve` starts all of it with `manage.py serve`, as `make run` does.
    """
    made: list[Server] = []

    def make(*, clusters: bool = False, web: bool = True, serve: bool = False, **env: str) -> Server:
        folder = tmp_path / f"installation-{len(made)}"
        folder.mkdir()
        variables = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
        variables |= {"WEBNET_DATA": str(folder), "PYTHONUNBUFFERED": "1", **env}
        server = Server(f"http://127.0.0.1:{free_port()}", folder, variables, {})
        made.append(server)
        server.manage("migrate", "--verbosity", "0")
        if serve:
            server.start_serve()
            return server
        if clusters:
            server.start_clusters()
        if web:
            server.start_web()
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    """A fresh installation with its web process."""
    return make_server()


# --- a real browser ---------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        skip_or_fail("There is no Chromium: install it (Debian: apt-get install chromium).")
    # Playwright runs an event loop in this thread, which makes Django suspect every query.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield running
        running.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)


@pytest.fixture
def browser_page(browser: Browser, server: Server) -> Iterator[Callable[..., Page]]:
    """`browser_page(name)`: a page of a person of that name, logged in through the form; its faults fail the test."""
    contexts: list[Any] = []
    faults: list[str] = []

    def make(name: str = "olga", *, superuser: bool = True, width: int = 1440, height: int = 900) -> Page:
        server.add_user(name, superuser=superuser)
        context = browser.new_context(viewport={"width": width, "height": height}, base_url=server.url)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        log_in(page, name)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not faults, faults


def log_in(page: Page, name: str) -> None:
    """Log in through the form, as a person does."""
    page.goto("/login/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("form button[type=submit]:not([formaction]):visible >> nth=-1")
    page.wait_for_url(lambda url: "/login" not in url)
