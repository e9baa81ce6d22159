"""What a periodic accreditation asks for. Pure functions."""

from datetime import date

HOURS = 144
"""Academic hours of training in the five years before it, each one point of continuing education.

Order 709н of the Ministry of Health, 2021-10-28; in force until 2029-01-01.
"""
SOON_DAYS = 90
"""From so many days before its end on the end of an accreditation is urgent."""


def is_urgent(valid_until: date, today: date) -> bool:
    """Whether the accreditation ends soon, or has ended."""
    return (valid_until - today).days <= SOON_DAYS
