from pathlib import Path

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def media_of_its_own(settings: pytest.FixtureRequest, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.RECOMMENDERS_FOLDER = tmp_path / "recommenders"
    cache.clear()


@pytest.fixture(autouse=True)
def quick_passwords(settings: pytest.FixtureRequest) -> None:
    """The real hashers are slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def no_chance(settings: pytest.FixtureRequest) -> None:
    """No card of known answer and no audited post but where a test asks for them."""
    settings.GOLD_SHARE = settings.AUDIT_SHARE = 0
