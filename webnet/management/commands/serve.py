"""`manage.py serve`: the web process and the queue's clusters, started together and stopped together by Ctrl-C."""

import http.client
import os
import signal
import socket
import sys
import threading
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.http.request import validate_host
from redis.exceptions import RedisError

from webnet import machine, preparation, processes
from webnet.heartbeats import Heartbeat
from webnet.serving import Service, Supervisor

CLUSTERS = ("default", "training", "errands")
# Asked for with HOST=0.0.0.0 by who wants to be reached from other machines; never the default.
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
STARTS_BEFORE_GIVING_UP = 3
TICK_SECONDS = 0.2


class Command(BaseCommand):
    help = "Serve the pages and do the work of the queues until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1: this machine only)")
        parser.add_argument("--port", default="8000", help="port to listen on (8000)")
        parser.add_argument("--prepare", action="store_true", help="do `prepare` first")
        parser.add_argument("--no-web", action="store_true", help="only the clusters: a worker machine")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        data = settings.DATA_DIR
        url = f"http://{'127.0.0.1' if host in EVERY_ADDRESS else host}:{port}/"
        try:
            with processes.claim(data, url):
                processes.clear_orphans(data)
                # Worker machines may share the folder of the data, and its logs, with the one that serves.
                suffix = f"-{socket.gethostname()}" if options["no_web"] else ""
                services = [cluster(name, suffix) for name in CLUSTERS]
                if not options["no_web"]:
                    machine.check_port(host, port)
                    services.insert(0, web_process(host, port))
                if options["prepare"]:
                    call_command("prepare")
                if told := advice(host):
                    self.stdout.write(told)
                Serving(services, url, self.stdout.write).run()
        except (machine.Refusal, processes.AlreadyRunning) as refusal:
            raise CommandError(str(refusal)) from None
        except KeyboardInterrupt:
            raise CommandError("Stopped. The same command goes on from here.", returncode=130) from None
        except DatabaseError as error:
            raise CommandError(preparation.database_problem(error)) from None
        except OSError as error:
            raise CommandError(machine.explain(error)) from None


def web_process(host: str, port: str) -> Service:
    """Daphne, with the requests in logs/access.log."""
    logs = settings.DATA_DIR / "logs"
    options = ["--bind", host, "--port", port, "--access-log", str(logs / "access.log"), "--no-server-name"]
    options += ["--application-close-timeout", "2"]
    command = [sys.executable, "-m", "daphne", *options, "webnet.asgi:application"]
    environment = processes.mark(settings.DATA_DIR)
    name = f"[{host}]" if ":" in host else host  # as browsers write an IPv6 address
    if host not in EVERY_ADDRESS and not validate_host(name, settings.ALLOWED_HOSTS):
        # Who asks for an address wants to be reached by it.
        environment = {**environment, "WEBNET_ALLOWED_HOSTS": ",".join((*settings.ALLOWED_HOSTS, name))}
    return Service("web", command, environment, logs / "web.log", (logs / "access.log",))


def advice(host: str) -> str:
    """What is left to do where every address is listened on but pages answer to this machine's own names alone."""
    if host not in EVERY_ADDRESS or any(name not in LOCAL_NAMES for name in settings.ALLOWED_HOSTS):
        return ""
    name = socket.gethostname()
    return (
        "Other machines are answered by the names in WEBNET_ALLOWED_HOSTS only, for example"
        f" WEBNET_ALLOWED_HOSTS=localhost,{name},192.0.2.7 with this machine's own name and address."
    )


def cluster(name: str, suffix: str = "") -> Service:
    """A cluster of django-q2 that works on the queue `name`; `suffix` is added to the name of its log."""
    environment = {
        **processes.mark(settings.DATA_DIR),
        **({} if name == "default" else {"Q_CLUSTER_NAME": name}),
    }
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"]
    return Service(name, command, environment, settings.DATA_DIR / "logs" / f"{name}{suffix}.log")


class Serving:
    """The loop that tends the services until a signal asks it to stop."""

    def __init__(self, services: list[Service], url: str, tell: Any) -> None:
        self._services, self._url, self._tell = services, url, tell
        self._supervisor = Supervisor(services, settings.DATA_DIR, tell)
        seconds = float(os.environ.get("WEBNET_HEARTBEAT_SECONDS") or 10)
        folder = settings.DATA_DIR / "heartbeats"
        self._pulses = {name: Heartbeat(name, folder, seconds) for name in CLUSTERS}
        self._asked_to_stop, self._has_answered = threading.Event(), threading.Event()

    def run(self) -> None:
        """Serve until SIGINT, SIGTERM or SIGHUP; then end every process before returning."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        if any(service.name == "web" for service in self._services):
            threading.Thread(target=self._announce, daemon=True).start()
        try:
            while not self._asked_to_stop.wait(TICK_SECONDS):
                self._supervisor.tend()
                self._give_up_on_what_cannot_start()
                self._feel_pulses()
        finally:
            self._tell("\nStopping ...")
            started = time.monotonic()
            self._supervisor.stop()
            self._tell(f"Stopped in {time.monotonic() - started:.1f} s; nothing is left running.")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_stop.set()

    def _give_up_on_what_cannot_start(self) -> None:
        if self._has_answered.is_set():
            return
        for service in self._services:
            if service.name == "web" and service.process is None and service.failures >= STARTS_BEFORE_GIVING_UP:
                raise CommandError(f"The web process does not start: {service.last_line()} Its log: {service.log}")

    def _feel_pulses(self) -> None:
        for service in self._services:
            pulse = self._pulses.get(service.name)
            if pulse is None or service.process is None:
                continue
            try:
                if pulse.is_hung():
                    self._tell(f"The {service.name} cluster takes no tasks any more; it is started again.")
                    service.kill()
                    pulse.forgive()
            except (DatabaseError, RedisError):
                # The database or the broker is away: nothing can be said about the cluster until it is back, and has
                # had time to take up its tasks and to renew its leases.
                close_old_connections()
                pulse.forgive()

    def _announce(self) -> None:
        """Print the address as soon as the web process answers."""
        while not self._asked_to_stop.wait(TICK_SECONDS / 2):
            if _answers(self._url):
                self._has_answered.set()
                self._tell(f"\nReady: {self._url}   (Ctrl-C stops it)\n")
                return


def _answers(url: str) -> bool:
    host, port = url.removeprefix("http://").rstrip("/").rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    try:
        connection.request("GET", "/login/")
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()
