"""Every setting of the portal; what differs between machines comes from the environment.

With no environment at all this is a development portal that keeps everything it writes under ``var/``.
``DRESSPORTAL_ENV=production`` demands a secret key, hosts and a database, and turns the safe switches on.
"""

import secrets
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from dressportal import database
from verify.intake.instagram.errors import parse_treatments

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

VAR = Path(env("DRESSPORTAL_VAR", default=str(BASE_DIR / "var"))).resolve()
ENVIRONMENT = env("DRESSPORTAL_ENV", default="development")
if ENVIRONMENT not in ("development", "production"):
    raise ImproperlyConfigured(f"DRESSPORTAL_ENV is {ENVIRONMENT!r}: expected 'development' or 'production'.")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.bool("DRESSPORTAL_DEBUG", default=False)


def required_in_production(name: str, default: str) -> str:
    """The variable's value; in production its absence is an error that names it."""
    value = env(name, default="")
    if PRODUCTION and not value:
        raise ImproperlyConfigured(f"{name} must be set when DRESSPORTAL_ENV=production.")
    return value or default


def development_secret_key() -> str:
    """A key of this checkout's own, made once and kept under ``var/``."""
    path = VAR / "secret_key"
    if not path.exists():
        VAR.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"secret_key.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(64))
        try:
            path.hardlink_to(draft)  # the first of several processes wins, whole
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()


SECRET_KEY = required_in_production("DRESSPORTAL_SECRET_KEY", "") or development_secret_key()
ALLOWED_HOSTS = required_in_production("DRESSPORTAL_ALLOWED_HOSTS", "*").split(",")
CSRF_TRUSTED_ORIGINS = env.list("DRESSPORTAL_CSRF_TRUSTED_ORIGINS", default=[])
DATABASES = {"default": database.configuration(VAR, required_in_production("DATABASE_URL", "") or None)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "dressportal",
    "recommend",
    "verify",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "template_partials",
    "django_q",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "axes",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it puts the page of a lock-out in the place of the view's
]

ROOT_URLCONF = "dressportal.urls"
WSGI_APPLICATION = "dressportal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # so that templates/ may put a widget right

AUTH_USER_MODEL = "verify.Employee"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "play"
LOGOUT_REDIRECT_URL = "login"

# Accounts: a pause after wrong passwords, by user name and address; links to set a password, by e-mail.
PROXIES = env.int("DRESSPORTAL_PROXIES", default=0)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = env.int("DRESSPORTAL_LOGIN_FAILURES", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("DRESSPORTAL_LOGIN_PAUSE_MINUTES", default=15))
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # or the page's "try again at" would be no promise
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False  # the page of employees shows and lifts it
AXES_CLIENT_IP_CALLABLE = "verify.lockout.client_address"
AXES_LOCKOUT_CALLABLE = "verify.lockout.locked_out"
PASSWORD_RESET_TIMEOUT = int(timedelta(days=env.int("DRESSPORTAL_LINK_DAYS", default=3)).total_seconds())
LETTERS_RATE = "60/hour"  # requests for a link, per address and web process
HERE = (
    f"https://{ALLOWED_HOSTS[0].lstrip('.')}"
    if PRODUCTION
    else f"http://localhost:{env('PORT', default='8000')}"
)
PORTAL_URL = (env("DRESSPORTAL_URL", default="") or HERE).rstrip("/")
EMAIL_URL = env("DRESSPORTAL_EMAIL_URL", default="")
if EMAIL_URL:
    vars().update(env.email_url("DRESSPORTAL_EMAIL_URL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR / "mail"
EMAIL_TIMEOUT = 20  # seconds
DEFAULT_FROM_EMAIL = env(
    "DRESSPORTAL_EMAIL_FROM", default=f"dressportal <no-reply@{urlsplit(PORTAL_URL).hostname}>"
)

# One language a portal, not one a browser: pages stay the same for every shopper, and caches may keep them.
LANGUAGE_CODE = env("DRESSPORTAL_LANGUAGE", default="en-gb")
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env("DRESSPORTAL_TIME_ZONE", default="UTC")
USE_TZ = True
USE_I18N = True

# Files. Photos go through the default storage: a local folder, or an S3 bucket when one is named.
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
MEDIA_ROOT = VAR / "media"
MEDIA_BUCKET = env("DRESSPORTAL_MEDIA_BUCKET", default="")
STORAGES = {
    "default": (
        {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": MEDIA_BUCKET,
                "default_acl": "private",
                "querystring_auth": True,
                "querystring_expire": 600,  # seconds that a photo may be seen after its owner has said no
            },
        }
        if MEDIA_BUCKET
        else {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    ),
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION

# Security. The switches that need https follow production.
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = int(timedelta(days=30).total_seconds())
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION and env.bool("DRESSPORTAL_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:", *env.list("DRESSPORTAL_CSP_IMAGES", default=[])],
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

RETRAIN_MINUTES = env.float("DRESSPORTAL_RETRAIN_MINUTES", default=120)

# The queue. The ORM broker acknowledges: a crash loses nothing. retry >= 2 x timeout, or one task runs twice.
Q_CLUSTER = {
    "name": "dressportal",
    "orm": "default",
    "workers": env.int("DRESSPORTAL_WORKERS", default=1),
    "timeout": 300,
    "retry": 660,
    "max_attempts": 3,
    "ack_failures": True,
    "bulk": 1,
    "save_limit": 0,
    "poll": 0.5,
    "catch_up": False,
    "time_zone": "UTC",  # of cron: a local 02:30 comes twice in autumn
    "label": "Queue",
    # For what takes hours, so that nothing waits behind it. Its timeout is above the longest run, comparison
    # included, and retry >= 2 x timeout here, too.
    "ALT_CLUSTERS": {
        "training": {
            "workers": 1,
            "timeout": int(60 * (2 * RETRAIN_MINUTES + 180)),
            "retry": int(120 * (2 * RETRAIN_MINUTES + 180)) + 60,
            "poll": 10,
        }
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": env("DRESSPORTAL_API_RATE", default="600/min")},
    "NUM_PROXIES": PROXIES,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.NamespaceVersioning",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "dressportal",
    "DESCRIPTION": (
        "Looks, similar dresses, shop-the-look: public and read-only. What shoppers do: told by a shop's "
        "pages, and by its server with a key. Photos named: with a key."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
CORS_URLS_REGEX = r"^/(api|media|static)/.*$"
CORS_ALLOW_ALL_ORIGINS = env.bool("DRESSPORTAL_CORS_ALL", default=not PRODUCTION)
CORS_ALLOWED_ORIGINS = env.list("DRESSPORTAL_CORS_ORIGINS", default=[])
CORS_ALLOW_METHODS = ["GET", "HEAD", "OPTIONS", "DELETE"]  # a visitor asks to be forgotten

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("DRESSPORTAL_LOG_LEVEL", default="WARNING")},
}

# DeepDress
DEEPDRESS_SHIPPED = BASE_DIR / "ml" / "weights" / "deepdress"
DEEPDRESS_WEIGHTS = Path(env("DRESSPORTAL_WEIGHTS", default=str(DEEPDRESS_SHIPPED)))
MODELS_FOLDER = Path(env("DRESSPORTAL_MODELS", default=str(VAR / "models")))  # of versions trained here
RETRAIN = env.bool("DRESSPORTAL_RETRAIN", default=False)  # every week: hours of computing
GOLDEN_POSTS = env.int("DRESSPORTAL_GOLDEN_POSTS", default=50)  # fewer do not tell which version is better
TRAIN_ON_UNANSWERED = env.bool("DRESSPORTAL_TRAIN_ON_UNANSWERED", default=False)
OPTION_COVERAGE = env.float("DRESSPORTAL_COVERAGE", default=0.9)  # of posts whose dress the catalogue has
if not 0 < OPTION_COVERAGE < 1:
    raise ImproperlyConfigured(
        f"DRESSPORTAL_COVERAGE is {OPTION_COVERAGE}: expected more than 0, less than 1."
    )
SUGGEST_BATCH = 64  # photos embedded together
SUGGEST_CLAIM = timedelta(seconds=env.int("DRESSPORTAL_SUGGEST_CLAIM_SECONDS", default=60))
SUGGEST_ATTEMPTS = 3  # a photo that kills the worker this often is set aside
VECTOR_SEARCH = env("DRESSPORTAL_VECTOR_SEARCH", default="auto")
if VECTOR_SEARCH not in ("auto", "exact", "hnsw"):
    raise ImproperlyConfigured(
        f"DRESSPORTAL_VECTOR_SEARCH is {VECTOR_SEARCH!r}: expected 'auto', 'exact' or 'hnsw'."
    )
VECTOR_SEARCH_EXACT_UP_TO = 100_000  # catalogue photos; beyond that, "auto" means pgvector's graph
LOOK_WEIGHT = env.float("DRESSPORTAL_LOOK_WEIGHT", default=0.0)  # of verified looks beside catalogue photos
if not 0 <= LOOK_WEIGHT <= 1:
    raise ImproperlyConfigured(f"DRESSPORTAL_LOOK_WEIGHT is {LOOK_WEIGHT}: expected 0 (off) to 1.")

# What shoppers do
SHOPPER_SECRET = env("DRESSPORTAL_SHOPPER_SECRET", default="") or SECRET_KEY  # another one: other shoppers
INTERACTIONS_KEPT = timedelta(days=env.int("DRESSPORTAL_INTERACTIONS_DAYS", default=400))
INTERACTIONS_A_DAY = env.int("DRESSPORTAL_INTERACTIONS_A_DAY", default=500)  # of a visitor
INTERACTIONS_RATE = env(
    "DRESSPORTAL_INTERACTIONS_RATE", default="120/min"
)  # requests without a key, per address
INTERACTION_WEIGHTS = {"view": 1.0, "open": 2.0, "click": 2.0, "save": 4.0, "rent": 12.0}
INTERACTION_WEIGHTS |= {
    kind: env.float(f"DRESSPORTAL_WEIGHT_OF_{kind.upper()}", default=weight)
    for kind, weight in INTERACTION_WEIGHTS.items()
}
# A rating of 3 follows from weights that add up to:
INTERACTION_MIDDLE = env.float("DRESSPORTAL_INTERACTION_MIDDLE", default=4.0)
INTERACTION_HALF_LIFE = timedelta(days=env.float("DRESSPORTAL_INTERACTION_HALF_LIFE_DAYS", default=90.0))
if min(INTERACTION_WEIGHTS.values()) < 0:
    raise ImproperlyConfigured(f"Weights of interactions are 0 or more, not {INTERACTION_WEIGHTS}.")
if min(INTERACTION_MIDDLE, INTERACTION_HALF_LIFE.total_seconds()) <= 0:
    raise ImproperlyConfigured("Interactions have a middle and a half-life of more than 0.")

# Looks of a dress
LOOK_ORDER = env("DRESSPORTAL_LOOK_ORDER", default="explore")
if LOOK_ORDER not in ("explore", "rate", "stated"):
    raise ImproperlyConfigured(
        f"DRESSPORTAL_LOOK_ORDER is {LOOK_ORDER!r}: expected 'explore', 'rate' or 'stated'."
    )

# Recommendations
RECOMMEND_METHOD = env("DRESSPORTAL_RECOMMEND_METHOD", default="HYBRID")  # or with options, EASE:lambda=500
RECOMMEND_NEW_SHARE = env.float("DRESSPORTAL_RECOMMEND_NEW_SHARE", default=0.125)  # of a list's places
RECOMMEND_NEW_DAYS = env.int("DRESSPORTAL_RECOMMEND_NEW_DAYS", default=30)
RECOMMEND_NEW_PEOPLE = env.int("DRESSPORTAL_RECOMMEND_NEW_PEOPLE", default=10)  # know it: it is not new now
if not 0 <= RECOMMEND_NEW_SHARE <= 1:
    raise ImproperlyConfigured(
        f"DRESSPORTAL_RECOMMEND_NEW_SHARE is {RECOMMEND_NEW_SHARE}: expected 0 (no place) to 1."
    )
RECOMMENDERS_FOLDER = Path(env("DRESSPORTAL_RECOMMENDERS", default=str(VAR / "recommenders")))
RECOMMEND_PEOPLE = env.int("DRESSPORTAL_RECOMMEND_PEOPLE", default=100)  # fewer teach no method anything
RECOMMEND_JUDGES = env.int("DRESSPORTAL_RECOMMEND_JUDGES", default=30)  # people to compare two versions on

# Threads of a web process, and how many of them may name photos, dream and take reviews in: the others go on
# serving pages, whatever the classifier does.
WEB_THREADS, SLOW_AT_ONCE = 4, 2

# Photos named for the API, by a process of its own
CLASSIFIER_SOCKET = Path(env("DRESSPORTAL_CLASSIFIER_SOCKET", default=str(VAR / "classifier.sock")))
CLASSIFIER_TIMEOUT = timedelta(seconds=env.int("DRESSPORTAL_CLASSIFIER_SECONDS", default=20))
CLASSIFY_PHOTOS = 16  # in a request
CLASSIFY_MAX_BYTES = 40 * 1024 * 1024  # of a request, which is kept in memory

# Dreams, drawn by the same process
DREAM_WEIGHTS = Path(env("DRESSPORTAL_DREAM_WEIGHTS", default=str(BASE_DIR / "ml" / "weights" / "dream")))
DREAM_TIMEOUT = timedelta(seconds=env.int("DRESSPORTAL_DREAM_SECONDS", default=5))
DREAMS_FOLDER = VAR / "dreams"  # pictures that were drawn: it may be emptied at any time
DREAMS_KEPT = env.int("DRESSPORTAL_DREAMS_KEPT", default=20_000)  # the newest of them
DREAMS_RATE = env("DRESSPORTAL_DREAMS_RATE", default="60/min")  # what may have to be drawn, per address

# The game
BATCH_SIZE = env.int("DRESSPORTAL_BATCH_SIZE", default=500)
LEASE = timedelta(minutes=10)
UNDO = timedelta(seconds=30)
VISIT_GAP = timedelta(minutes=30)  # a longer pause starts a new visit, at a new random position
SKIPS_BEFORE_ADMIN = 3
SERVING_ORDER = env("DRESSPORTAL_SERVING_ORDER", default="finish")
if SERVING_ORDER not in ("finish", "backwards"):
    raise ImproperlyConfigured(
        f"DRESSPORTAL_SERVING_ORDER is {SERVING_ORDER!r}: expected 'finish' or 'backwards'."
    )
GOLD_SHARE = env.float("DRESSPORTAL_GOLD_SHARE", default=0.04)  # of the cards handed out: the answer is known
TRAINING_CARDS = 5  # a new colleague's first, with the answer at once
AUDIT_SHARE = env.float("DRESSPORTAL_AUDIT_SHARE", default=0.02)  # of posts, which always get five votes
DAILY_GOAL = 10  # cards: two or three minutes
SCORED_VOTES_A_DAY = env.int("DRESSPORTAL_SCORED_VOTES_A_DAY", default=150)
STREAK_FREEZES = 2  # working days a month that may be missed
HOLIDAYS = [date.fromisoformat(day) for day in env.list("DRESSPORTAL_HOLIDAYS", default=[])]

# Display
CLEAR_LOOKS_AUTOMATICALLY = env.bool("DRESSPORTAL_CLEAR_AUTOMATICALLY", default=False)

# Whose photos may be shown: those whose owner has granted it, or all whose owner has not said no
RIGHTS_POLICY = env("DRESSPORTAL_RIGHTS_POLICY", default="granted")
if RIGHTS_POLICY not in ("granted", "unless_refused"):
    raise ImproperlyConfigured(
        f"DRESSPORTAL_RIGHTS_POLICY is {RIGHTS_POLICY!r}: expected 'granted' or 'unless_refused'."
    )

# Privacy (docs/privacy.md): what is kept and for how long. Clocks start when a post is settled.
PRIVACY_SECRET = (
    env("DRESSPORTAL_PRIVACY_SECRET", default="") or SECRET_KEY
)  # another one: stones are forgotten
KEPT_DAYS = {"no_look": 30, "refused": 14, "gold": 730, "negatives": 365, "fame": 365, "audit": 365}
KEPT_DAYS = {
    kind: env.int(f"DRESSPORTAL_KEEP_{kind.upper()}_DAYS", default=days) for kind, days in KEPT_DAYS.items()
}
if min(KEPT_DAYS.values()) < 1:
    raise ImproperlyConfigured(f"Posts are kept for at least a day, not {KEPT_DAYS}.")
OPT_OUTS_KEPT = timedelta(days=30)  # after they are closed
ERASE_AFTER = timedelta(hours=12)  # what is gone at its source, unless it is there again; at most 24 in all
BACKUP_DAYS = env.int("DRESSPORTAL_BACKUP_DAYS", default=30)  # how long backups are kept: told, not done here
OPT_OUT_RATE = env("DRESSPORTAL_OPT_OUT_RATE", default="6/hour")  # per address and web process
OPT_OUTS_AT_ONCE = env.int(
    "DRESSPORTAL_OPT_OUTS_AT_ONCE", default=50
)  # looks a day hidden before an admin looks
# Is a post still there? An address with {id} or {permalink}; empty: nobody asks.
SOURCE_CHECK_URL = env("DRESSPORTAL_SOURCE_CHECK_URL", default="")
SOURCE_CHECKS_A_DAY = env.int("DRESSPORTAL_SOURCE_CHECKS_A_DAY", default=1_000)

# Customers' own photos, by the form on the demo shop's product pages; shops send theirs to the API
REVIEW_FORM = env.bool("DRESSPORTAL_REVIEW_FORM", default=not PRODUCTION)
REVIEW_FORM_RATE = env("DRESSPORTAL_REVIEW_FORM_RATE", default="10/hour")  # per address and web process
# Quality gates: what keeps a post back, below or above what. Without a threshold a gate is open.
GATES = {
    "size": env.float("DRESSPORTAL_GATE_SIZE", default=100.0),  # pixels of the shorter side, at least
    "blur": env.float("DRESSPORTAL_GATE_BLUR", default=25.0),  # sharpness, at least
    "text": env.float("DRESSPORTAL_GATE_TEXT", default=0.55),  # share of paper and ink, at most
    "screenshot": env.float("DRESSPORTAL_GATE_SCREENSHOT", default=0.08),  # share of written rows, at most
    "people": env.float("DRESSPORTAL_GATE_PEOPLE", default=1.0),  # faces, at most: more are flagged
    "duplicate": env.float("DRESSPORTAL_GATE_DUPLICATE", default=6.0),  # bits, as many or fewer
}
for name in env.list("DRESSPORTAL_GATES_OPEN", default=[]):
    if name not in GATES:
        raise ImproperlyConfigured(f"DRESSPORTAL_GATES_OPEN names {name!r}: expected some of {[*GATES]}.")
    del GATES[name]

# Photos taken in
PHOTO_MAX_BYTES = 20 * 1024 * 1024
PHOTO_MAX_PIXELS = 50_000_000
PHOTO_MIN_SIDE = 32
DECODER_MEMORY = 1024**3  # bytes that decoding a photo may take
DECODER_CPU, DECODER_TIMEOUT = timedelta(seconds=20), timedelta(seconds=90)  # on a busy machine
FETCH_TIMEOUT = timedelta(seconds=20)
FETCH_REDIRECTS = 3
FETCH_PATIENCE, FETCH_LEAST_SPEED = timedelta(seconds=5), 10_000  # bytes a second, from then on
FETCH_LOOPBACK = env.bool("DRESSPORTAL_FETCH_LOOPBACK", default=False)  # also from this machine: tests, demo

# Instagram
INSTAGRAM_URL = env("DRESSPORTAL_INSTAGRAM_URL", default="https://graph.facebook.com/v26.0")
INSTAGRAM_USER = env("DRESSPORTAL_INSTAGRAM_USER", default="")
INSTAGRAM_TOKEN = env("DRESSPORTAL_INSTAGRAM_TOKEN", default="")
INSTAGRAM_APP_ID = env("DRESSPORTAL_INSTAGRAM_APP_ID", default="")
INSTAGRAM_APP_SECRET = env("DRESSPORTAL_INSTAGRAM_APP_SECRET", default="")
INSTAGRAM_VERIFY_TOKEN = env("DRESSPORTAL_INSTAGRAM_VERIFY_TOKEN", default="")  # of the webhook's handshake
INSTAGRAM_TOKEN_KEY = env("DRESSPORTAL_INSTAGRAM_TOKEN_KEY", default="") or SECRET_KEY
INSTAGRAM_PAGES = env.int("DRESSPORTAL_INSTAGRAM_PAGES", default=2_000)  # of 50; further ones are not read
try:
    INSTAGRAM_ERRORS = parse_treatments(env("DRESSPORTAL_INSTAGRAM_ERRORS", default=""))
except ValueError as error:
    raise ImproperlyConfigured(
        f"DRESSPORTAL_INSTAGRAM_ERRORS: {error}. Expected codes and treatments, such as 24=skip,18=wait."
    ) from error
INTAKE_FOLDER = Path(env("DRESSPORTAL_INTAKE", default=str(VAR / "intake")))  # of files that sources name
INTAKE_TURN = timedelta(seconds=45)  # that a source is read for before others take their turn
INTAKE_CLAIM = timedelta(seconds=env.int("DRESSPORTAL_INTAKE_CLAIM_SECONDS", default=180))
CURRENCY = env("DRESSPORTAL_CURRENCY", default="EUR")
