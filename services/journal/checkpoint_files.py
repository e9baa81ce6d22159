"""Where this machine keeps its copies of checkpoints, outside the database."""

from pathlib import Path

CHECKPOINTS_FILE = "seals.jsonl"


def checkpoints_folder(home: Path) -> Path:
    """The folder of the copies of checkpoints, and of the certificates that signed them."""
    return home / "seals"


def has_checkpoints(home: Path) -> bool:
    """Whether a copy of any checkpoint is there: then people have worked in this installation."""
    file = checkpoints_folder(home) / CHECKPOINTS_FILE
    return file.exists() and file.stat().st_size > 0
