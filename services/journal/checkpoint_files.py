"""Where this machine keeps its copies of checkpoints, outside the database."""

from pathlib import Path

CHECKPOINTS_FILE = "seals.jsonl"


def checkpoints_folder(home: Path) -> Path:
    """The folder of the copies of checkpoints, and of the certificates that signed them."""
    return home / "seals"
