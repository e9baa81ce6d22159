"""The norms that an installation goes by, read from its file."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter

from rules.accreditations.norms import AccreditationNorm, norm_on
from settings import Settings

SHIPPED = Path(__file__).with_name("norms.yaml")


@cache
def norms_in(file: Path) -> Sequence[AccreditationNorm]:
    """The norms of a file. Raises ValueError for a file that is not whole."""
    read: Any = yaml.safe_load(file.read_text("utf-8"))
    found = TypeAdapter(tuple[AccreditationNorm, ...]).validate_python(read["norms"])
    if not found:
        raise ValueError(f"{file} names no norm of accreditation")
    return found


def norm_of(settings: Settings, day: date) -> AccreditationNorm:
    """The norm in force on a day."""
    return norm_on(norms_in(settings.accreditation_norms or SHIPPED), day)
