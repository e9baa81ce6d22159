"""What programs are told of the API."""

from typing import Any

import pytest

from server import create_app
from settings import Settings


@pytest.fixture(scope="session")
def description() -> dict[str, Any]:
    """OpenAPI as programs get it."""
    return create_app(Settings(cookie_secure=False)).openapi()
