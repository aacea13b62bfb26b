import pytest
from django.test import Client

from tests.make import make_admin
from verify.models import Employee


@pytest.fixture
def ada(client: Client) -> Employee:
    """An admin, logged in."""
    ada = make_admin()
    client.force_login(ada)
    return ada
