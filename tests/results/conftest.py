"""What tests of results share."""

import pytest

from tests.results.clinic import Clinic
from tests.shared.office import Office


@pytest.fixture
async def clinic(office: Office) -> Clinic:
    """A unit of this test's own."""
    return await Clinic.open(office)
