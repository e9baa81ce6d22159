"""The application of the tests of accounts serves these tests too."""

from tests.accounts.conftest import house

__all__ = ["house"]
