"""Django's settings, made from the file named by `CLOUD_BRIDGE_CONFIG` (the CLI sets it)."""

import os
from pathlib import Path

from cloud_bridge import config, databases, logs

CONFIG_VARIABLE = "CLOUD_BRIDGE_CONFIG"
REGISTRY = config.load(Path(os.environ.get(CONFIG_VARIABLE, "registry.toml")))

_HERE = Path(__file__).parent

SECRET_KEY = REGISTRY.secret_key
DEBUG = False
ALLOWED_HOSTS = list(REGISTRY.console.allowed_hosts)

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "cloud_bridge.registry",
    "cloud_bridge.console",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "cloud_bridge.console.middleware.content_policy",
    "cloud_bridge.api.problems.api_answers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "cloud_bridge.console.alert_views.QuietSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "cloud_bridge.console.middleware.AccessMiddleware",
]
ROOT_URLCONF = "cloud_bridge.urls"
WSGI_APPLICATION = "cloud_bridge.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "cloud_bridge.console.menu.context",
                "cloud_bridge.console.alert_views.context",
            ],
        },
    }
]

DATABASES = {"default": databases.of(REGISTRY.database)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "registry.Account"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username",)},
    },
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
LOGIN_URL = "sign-in"
LOCKOUT_TRIES = 5
LOCKOUT_MINUTES = 15
SECOND_FACTOR_REQUIRED = REGISTRY.console.second_factor == "required"

SESSION_COOKIE_AGE = 30 * 60  # seconds without a click
SESSION_LONGEST_S = 12 * 60 * 60  # seconds after which a click does not help either
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
if REGISTRY.console.public_origin:
    # Behind a proxy that ends TLS: nothing of a session ever goes over a plain line.
    ALLOWED_HOSTS.append(REGISTRY.console.public_host)
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    # A name that begins so is taken by browsers from this very host over TLS and nobody else.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    CSRF_TRUSTED_ORIGINS = [REGISTRY.console.public_origin]
CSRF_FAILURE_VIEW = "cloud_bridge.console.views.csrf_failed"
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [_HERE / "locale"]
LANGUAGE_COOKIE_SAMESITE = "Strict"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 600

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "cloud_bridge.logs.Redacting",
            "format": logs.LINE,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    # Below ERROR it would log every page somebody may not open, with a traceback.
    "loggers": {"django.request": {"level": "ERROR"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
