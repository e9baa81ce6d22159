"""The people of an office and their credentials."""

from tests.credentials.conftest import keeping

__all__ = ["keeping"]
