"""Backup, restore and reconciliation of one installation (O5).

A repository is a folder of backups. Each backup holds a base backup of PostgreSQL, Temporal's file,
the configuration and the list of objects; segments of PostgreSQL's log and objects stand beside,
shared by all backups. Keys go to a folder of their own, which only the recovery phrase opens.
Everything is encrypted.
"""

from collections.abc import Callable

Say = Callable[[str, str], None]
"""Reports progress: the part of the system, and a few words."""


class BackupError(Exception):
    """The command cannot or must not go on; the message says why and what to do."""


class WrongKeyError(BackupError):
    """The file was encrypted with another key."""


class DamagedError(BackupError):
    """The file is not what was written: cut, changed, or put in place of another."""
