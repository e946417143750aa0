"""Settings of WebNet Trainer. Everything that differs between installations is an environment variable.

Without any variable this is the embedded default: SQLite, the ORM as the queue's broker, files in `var/`, live updates
by tailing the event table. `DATABASE_URL` and `REDIS_URL` turn it into an institution's installation.
"""

from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from webnet.clock import time_zone
from webnet.secret import secret_key

env = environ.Env()


def names(variable: str, default: str = "") -> list[str]:
    """The names in a variable, separated by commas; blanks around them are nobody's."""
    return [name.strip() for name in env.str(variable, default).split(",") if name.strip()]


BASE_DIR = Path(__file__).resolve().parent.parent

# --- where things are kept -------------------------------------------------------------------------------------------
DATA_DIR = Path(env.str("WEBNET_DATA", str(BASE_DIR / "var"))).resolve()
WEIGHTS_DIR = Path(env.str("WEBNET_WEIGHTS", str(DATA_DIR / "weights"))).resolve()
# Where the detectors of the catalogue are fetched from; empty: from where their makers offer them.
ZOO_URL = env.str("WEBNET_ZOO_URL", "")
RUNS_DIR = DATA_DIR / "runs"
UPLOADS_DIR = DATA_DIR / "uploads"
# Copies of files that are kept in a remote storage; may be removed at any time.
CACHE_FOLDER = DATA_DIR / "cache"
STATIC_ROOT = DATA_DIR / "static"
for folder in (DATA_DIR, RUNS_DIR, UPLOADS_DIR, STATIC_ROOT):
    folder.mkdir(parents=True, exist_ok=True)

# --- security --------------------------------------------------------------------------------------------------------
DEBUG = env.bool("WEBNET_DEBUG", False)
SECRET_KEY = env.str("WEBNET_SECRET_KEY", "") or secret_key(DATA_DIR / "secret")
ALLOWED_HOSTS = names("WEBNET_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
HTTPS = env.bool("WEBNET_HTTPS", False)
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if host != "*"] if HTTPS else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- application -----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "webnet.apps.WebnetConfig",
    "webnet.apps.WebnetAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "axes",
    "csp",
    "datasets",
    "annotations",
    "training",
    # After ours: it brings a command `export` too, and the first one counts.
    "import_export",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "webnet.urls"
ASGI_APPLICATION = "webnet.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- database --------------------------------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    # The folder is no part of an address: it may hold any character.
    "default": env.db_url("DATABASE_URL")
    if env.str("DATABASE_URL", "")
    else {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA_DIR / "db.sqlite3")}
}
if "sqlite" in DATABASES["default"]["ENGINE"]:
    # One writer at a time, taken at once (no upgrade from reader to writer, hence no "database is locked").
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=134217728;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# --- Redis, queue, live updates --------------------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", "")
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CACHES: dict[str, dict[str, Any]] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if REDIS_URL:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
LIVE_POLL_SECONDS = 0.1

WORKERS = env.int("WEBNET_WORKERS", 1)
# What a training runs on (`training.pipeline.distribution`), and the addresses of machines that train together.
DISTRIBUTION = env.str("WEBNET_DISTRIBUTION", "off")
TRAINERS = names("WEBNET_TRAINERS")
if DISTRIBUTION not in ("off", "mirrored", "multi_worker_mirrored"):
    raise ImproperlyConfigured("WEBNET_DISTRIBUTION is one of off, mirrored and multi_worker_mirrored.")
if len(TRAINERS) == 1 or (DISTRIBUTION == "multi_worker_mirrored") != bool(TRAINERS):
    raise ImproperlyConfigured(
        "WEBNET_TRAINERS names the machines (host:port,host:port) for WEBNET_DISTRIBUTION=multi_worker_mirrored,"
        " at least two."
    )
DAY = 24 * 3600
YEAR = 365 * DAY
Q_CLUSTER: dict[str, Any] = {
    "name": "default",
    "workers": WORKERS,
    # A task that runs longer than `retry` is started a second time beside itself: inference of a large dataset takes
    # hours. What a killed worker leaves behind is found by its lease, not by the queue's redelivery. (`timeout` must be
    # smaller than `retry`, or django-q2 warns.)
    "retry": YEAR,
    "timeout": YEAR - DAY,
    "max_attempts": 1,
    "ack_failures": True,
    "poll": 0.2,
    "save_limit": 200,
    "catch_up": False,
    "label": "Task queue",
    # Who waits for boxes waits neither for a training nor for a download.
    "ALT_CLUSTERS": {
        name: {"workers": 1, "retry": YEAR, "timeout": YEAR - DAY, "max_attempts": 1}
        for name in ("training", "errands")
    },
}
if REDIS_URL:
    Q_CLUSTER |= {"redis": REDIS_URL, "broker_class": "webnet.brokers.SharedAndOwn"}
else:
    Q_CLUSTER["orm"] = "default"

# A run whose worker has not been heard of for this long is interrupted and resumed by the next reaper.
RUN_LEASE_SECONDS = env.int("WEBNET_RUN_LEASE_SECONDS", 15)
# Tries in a row that got no further than those before, after which a run is given up.
RUN_MAX_TRIES_IN_VAIN = 4

# --- files -----------------------------------------------------------------------------------------------------------
MEDIA_ROOT = DATA_DIR / "media"
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(MEDIA_ROOT)}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if env.str("WEBNET_S3_BUCKET", ""):
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": env.str("WEBNET_S3_BUCKET"),
            "endpoint_url": env.str("WEBNET_S3_ENDPOINT", "") or None,
            "access_key": env.str("WEBNET_S3_ACCESS_KEY", "") or None,
            "secret_key": env.str("WEBNET_S3_SECRET_KEY", "") or None,
            # A scan of a gigabyte is read by way of the disk and not of the memory.
            "max_memory_size": 4 * 1024 * 1024,
        },
    }
MAX_UPLOAD_BYTES = env.int("WEBNET_MAX_UPLOAD_MB", 1024) * 1024 * 1024
MAX_MEGAPIXELS = env.int("WEBNET_MAX_MEGAPIXELS", 400)
FILE_UPLOAD_TEMP_DIR = str(UPLOADS_DIR)
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
# The curators' list sends nine for each of its rows, and deleting ten thousand artworks one for each.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100_000

STATIC_URL = "static/"
STATICFILES_DIRS: list[Any] = [BASE_DIR / "static"]
for name, package in {"openseadragon": "openseadragon/build/openseadragon", "uplot": "uplot/dist"}.items():
    if (BASE_DIR / "node_modules" / package).is_dir():
        STATICFILES_DIRS.append((f"vendor/{name}", BASE_DIR / "node_modules" / package))
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# --- accounts --------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "datasets:list"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "webnet.addresses.client_address"
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

# --- API -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "webnet.api.Pagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["webnet.api.StrictJSONParser", "rest_framework.parsers.MultiPartParser"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "user": env.str("WEBNET_API_RATE", "6000/min"),
        "token": env.str("WEBNET_TOKEN_RATE", "10/min"),
        "preview": env.str("WEBNET_PREVIEW_RATE", "30/min"),
    },
    # Unset, a client would be whoever its X-Forwarded-For says. With HTTPS the last entry is our proxy's.
    "NUM_PROXIES": 1 if HTTPS else 0,
    "EXCEPTION_HANDLER": "webnet.api.refusal_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "WebNet Trainer",
    "DESCRIPTION": "Datasets of artworks, boxes, detectors, training and inference.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    # Three models have a field `state`: the schema needs a name for each set of values.
    "ENUM_NAME_OVERRIDES": {
        "ArtworkState": "datasets.models.Artwork.State",
        "RunState": "training.models.Run.State",
        "BoxState": "annotations.serializers.SHOWN_STATES",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- language and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("it", _("Italian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = time_zone(env.str("TZ", ""))
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("WEBNET_LOG_LEVEL", "WARNING")},
}
