"""Settings of a real reader beside a test: the test's database, its files and its fake Instagram."""

import os

from dressportal.settings import *  # noqa: F403
from dressportal.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["READER_DATABASE"]
MEDIA_ROOT = os.environ["READER_MEDIA"]
