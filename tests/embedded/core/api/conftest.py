import pytest
from api_client import Api


@pytest.fixture
def api() -> Api:
    return Api()
