"""What simulators keep over restarts: a file of JSON lines, where the last line of a name
counts."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

Kept = TypeVar("Kept", bound=BaseModel)


class KeptLines(Generic[Kept]):
    """Lines of one model. Without a file nothing is stored."""

    def __init__(self, file: Path | None, model: type[Kept]) -> None:
        self._file = file
        self._model = model

    def read(self) -> list[Kept]:
        """All lines, oldest first.

        A line that was torn by a kill while it was written is left out.
        """
        if self._file is None or not self._file.exists():
            return []
        text = self._file.read_text("utf-8")
        found: list[Kept] = []
        for line in text.splitlines():
            with suppress(ValidationError):
                found.append(self._model.model_validate_json(line))
        if text and not text.endswith("\n"):
            # Without this the next line would continue the torn one.
            self.replace(found)
        return found

    def add(self, one: Kept) -> None:
        """Append one line."""
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as lines:
                lines.write(one.model_dump_json() + "\n")

    def replace(self, kept: Iterable[Kept]) -> None:
        """Store these lines and nothing else. A kill meanwhile leaves the file as it was."""
        if self._file is not None:
            fresh = self._file.with_name(f"{self._file.name}.new")
            fresh.write_text("".join(one.model_dump_json() + "\n" for one in kept), "utf-8")
            fresh.replace(self._file)
