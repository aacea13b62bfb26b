import pytest
from django.test import Client

from tests.make import make_admin, make_employee
from verify.models import Employee


@pytest.fixture
def ada(client: Client) -> Employee:
    """An admin, logged in."""
    ada = make_admin()
    client.force_login(ada)
    return ada


@pytest.fixture
def ann() -> Employee:
    return make_employee("ann")


@pytest.fixture
def anna() -> Employee:
    return make_employee("anna")


@pytest.fixture
def ben() -> Employee:
    return make_employee("ben")
