"""What a periodic accreditation requires. Pure functions."""

from datetime import date

HOURS = 144
"""Academic hours of training that are required in the five years before the accreditation.

An hour is one point of continuing education. Source: order 709н of the Ministry of Health,
2021-10-28; in force until 2029-01-01.
"""
SOON_DAYS = 90
"""An accreditation is urgent from this many days before its end."""


def is_urgent(valid_until: date, today: date) -> bool:
    """Whether the accreditation ends soon, or has ended."""
    return (valid_until - today).days <= SOON_DAYS
