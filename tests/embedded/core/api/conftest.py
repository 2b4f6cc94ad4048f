import pytest

from tests.embedded.core.api.api_client import Api


@pytest.fixture
def api() -> Api:
    return Api()
