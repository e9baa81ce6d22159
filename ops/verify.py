"""`medcab verify`: is the journal what was written? And is this receipt ours?"""

import asyncio
import sys

from cryptography import x509

from clients.database import Database
from clients.objects import Objects
from models.encryption import KeyRing
from services.journal import seals_folder
from services.seals import SealError, common_name, kept_certificates, open_seal
from services.verification import Report, verify
from settings import Settings


def run(settings: Settings) -> int:
    """Check the journal of this installation and say what was tried: 0 when all of it holds.

    1 when there is a fault, or when there was nothing to check: that proves nothing.
    """
    try:
        trusted = trusted_certificates(settings)
        report = asyncio.run(_verify(settings, trusted))
    except SealError as error:
        print(f"Cannot check: {error}", file=sys.stderr)
        return 1
    for certificate in trusted:
        print(f"Trusted seal: {common_name(certificate)}, serial {certificate.serial_number:x}")
    return tell(report)


def tell(report: Report) -> int:
    """Print a report; the exit code."""
    print(
        f"Chains:   {report.chains} with {report.entries} entries, {report.unsealed} not sealed yet"
    )
    print(
        f"Contents: {report.contents} read, {report.erased} erased by law"
        + (f", {report.contents_unread} not read: no keys" if report.contents_unread else "")
    )
    print(f"Views:    {report.views}")
    until = (
        f", the last of {report.sealed_until:%Y-%m-%d %H:%M:%S} UTC" if report.sealed_until else ""
    )
    print(f"Seals:    {report.seals} in the database{until}")
    store = (
        "the object store is down" if report.store_down else f"{report.stored} in the object store"
    )
    print(f"Copies:   {report.copies} on this machine, {store}")
    for fault in report.faults:
        print(f"FAULT  {fault}")
    if not report.tried:
        print("Nothing was there to check, so nothing is proved.")
        return 1
    print(f"Faults found: {len(report.faults)}" if report.faults else "All of it holds.")
    return 1 if report.faults else 0


def trusted_certificates(settings: Settings) -> list[x509.Certificate]:
    """The present seal and the former ones kept on this machine. Raises SealError."""
    present = open_seal(settings).certificate
    former = kept_certificates(seals_folder(settings.home))
    return [present, *(one for one in former if one != present)]


async def _verify(settings: Settings, trusted: list[x509.Certificate]) -> Report:
    keys = settings.keys.get_secret_value()
    ring = KeyRing.parse(keys) if keys else None
    database, objects = Database.from_settings(settings), Objects(settings)
    folder = seals_folder(settings.home)
    try:
        return await verify(database, folder, trusted, ring, objects)
    finally:
        await database.close()
        await objects.close()
