"""`medcab self-check`: are the protective measures in force, and does the whole journal hold?

The exit code: 0 nothing is a fault; 1 something is, or could not be examined.
"""

import asyncio
import sys
from collections.abc import Sequence

from clients.database import Database
from clients.objects import Objects
from crypto.key_ring import KeyRing
from rules.operation.self_check import Examined, Grade, Protection
from services.journal.checkpoint_files import checkpoints_folder
from services.journal.checkpoints import trusted_certificates
from services.operation import self_check
from services.seal import SealError
from settings import Settings

P = Protection

TOLD: dict[tuple[Protection, str], tuple[str, str]] = {
    (P.TLS, "silent"): ("nobody answers at the public address", "start the cabinet, or mend it"),
    (P.TLS, "plain"): ("people are served without TLS", "set MEDCAB_TLS=1, or a proxy: keys.md"),
    (P.TLS, "older"): ("{version}, or TLS 1.2 is spoken too", "allow TLS 1.3 alone"),
    (P.TLS, "near"): ("{version}, the certificate ends in {days} days", "renew it"),
    (P.TLS, "over"): ("{version}, the certificate has ended", "renew it"),
    (P.TLS, "valid"): ("{version}, the certificate holds for {days} days", ""),
    (P.KEYS, "unknown"): ("{n} keys, of unknown age", "medcab keys rotate"),
    (P.KEYS, "old"): ("the key in use is {days} days old", "medcab keys rotate"),
    (P.KEYS, "fresh"): ("the key in use is {days} days old", ""),
    (P.SEAL, "missing"): ("the seal cannot be opened", "set MEDCAB_SEAL_FILE"),
    (P.SEAL, "test"): ("a test seal, for {days} days", "set MEDCAB_SEAL_FILE"),
    (P.SEAL, "near"): ("the certificate ends in {days} days", "get a new one"),
    (P.SEAL, "over"): ("the certificate has ended", "get a new one"),
    (P.SEAL, "valid"): ("the certificate holds for {days} days", ""),
    (P.BACKUP, "never"): ("no backup was ever taken", "medcab backup"),
    (P.BACKUP, "old"): ("the last one is {hours} hours old", "medcab backup"),
    (P.BACKUP, "fresh"): ("the last one is {hours} hours old", ""),
    (P.SECOND_FACTOR, "some"): ("{n} accounts without one", "have them sign in, or lock them"),
    (P.SECOND_FACTOR, "none"): ("every account has one", ""),
    (P.PASSWORDS, "some"): ("{n} older than 90 days", "they are changed at the next sign-in"),
    (P.PASSWORDS, "none"): ("none is older than 90 days", ""),
    (P.COURSE, "some"): ("{n} people are late", "the list is at /course/overdue"),
    (P.COURSE, "none"): ("nobody is late", ""),
    (P.JOURNAL, "never"): ("it was never verified", "medcab self-check"),
    (P.JOURNAL, "old"): ("it held {days} days ago", "medcab self-check"),
    (P.JOURNAL, "faults"): ("{n} faults", "medcab verify names them"),
    (P.JOURNAL, "holds"): ("{chains} chains with {entries} entries hold", ""),
    (P.CHECKPOINTS, "late"): ("entries wait too long, or are refused", "docs/alerts"),
    (P.CHECKPOINTS, "never"): ("none was made yet", "start a worker"),
    (P.CHECKPOINTS, "fresh"): ("one a minute", ""),
    (P.RISKS, "some"): ("{n} wait to be judged", "the list is at /risks"),
    (P.RISKS, "none"): ("none waits to be judged", ""),
    (P.NORMS, "near"): (
        "{source} ends in {days} days; on it rests: {rests}",
        "find out what replaces it: services/operation/norms.yaml",
    ),
    (P.NORMS, "over"): (
        "{source} ended {days} days ago; on it rests: {rests}",
        "find out what replaces it: services/operation/norms.yaml",
    ),
    (P.NORMS, "none"): ("none of {n} ends within 180 days", ""),
}
"""What each finding means, and what to do about it."""


def run(settings: Settings) -> int:
    """Verify the journal, examine every measure, and print all of it. Returns the exit code."""
    try:
        found = asyncio.run(_examined(settings))
    except SealError as error:
        print(f"Cannot check: {error}", file=sys.stderr)
        return 1
    for one in found:
        words, remedy = TOLD[one.protection, one.finding]
        line = f"{one.grade.upper():8} {one.protection:14} {words.format_map(one.facts)}"
        print(f"{line}: {remedy}" if remedy else line)
    bad = sum(one.grade in (Grade.BAD, Grade.UNKNOWN) for one in found)
    print(f"Faults: {bad}" if bad else "Nothing is a fault.")
    return int(bool(bad))


async def _examined(settings: Settings) -> Sequence[Examined]:
    ring = KeyRing.installed(settings.keys.get_secret_value(), settings.home)
    database, objects = Database.from_settings(settings), Objects(settings)
    try:
        await self_check.verify_journal(
            database,
            checkpoints_folder(settings.home),
            trusted_certificates(settings),
            ring,
            objects,
        )
        return await self_check.examine(database, settings, ring)
    finally:
        await database.close()
        await objects.close()
