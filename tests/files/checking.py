"""Files as tests hand them to the checking process."""

import tempfile
from typing import BinaryIO

from rules.files.checks import MediaType
from services.files.inspection.client import Inspection, InspectionReport


def as_file(content: bytes) -> BinaryIO:
    """A nameless file."""
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(content)
    file.flush()
    return file


async def checked(inspection: Inspection, content: bytes, declared: MediaType) -> InspectionReport:
    """The report on some bytes."""
    with as_file(content) as file:
        return await inspection.examine(file, [declared], 300)
