"""Tests of the desk have a world of their own: a desk lists all who may decide there."""

from tests.shared.apart import database, settings, site

__all__ = ["database", "settings", "site"]
