"""One page of the gallery."""

from dataclasses import dataclass
from typing import Any

from cabinet.frame.views import Frame


@dataclass(frozen=True)
class Sample:
    """A page of the gallery."""

    name: str
    template: str
    frame: Frame
    context: dict[str, Any]
