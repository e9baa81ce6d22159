"""`medcab verify`: is the journal what was written? And is this receipt ours?

The exit code: 0 all of it holds; 1 a fault, or nothing was there to check; 3 all of it holds, and
information security has still to confirm what was declared lost, or accepted.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from clients.database import Database
from clients.objects import Objects
from crypto.certificates import Certificate, common_name, fingerprint, serial_number
from crypto.key_ring import KeyRing
from rules.journal.entries import IntegrityFault
from rules.texts.grouping import in_eights, in_fours
from services.dossier import receipt as receipts
from services.journal import acceptance, restore_gaps
from services.journal.checkpoint_files import checkpoints_folder
from services.journal.checkpoints import trusted_certificates
from services.journal.verification import VerificationReport, verify
from services.seal import SealError, open_seal
from settings import Settings

UNCONFIRMED = 3
"""The exit code while a declaration waits for its confirmation."""


def run(settings: Settings) -> int:
    """Check the journal of this installation, and print what was tried. Returns the exit code."""
    try:
        trusted = trusted_certificates(settings)
        report = asyncio.run(_verify(settings, trusted))
    except SealError as error:
        print(f"Cannot check: {error}", file=sys.stderr)
        return 1
    for certificate in trusted:
        number = in_fours(serial_number(certificate))
        print(f"Trusted seal: {common_name(certificate)}, certificate {number}")
    return tell(report)


def run_receipt(settings: Settings | None, file: Path) -> int:
    """Check a receipt, offline; with settings, also against the journal of this installation.

    0 when it holds. Without settings the certificate inside is trusted and its fingerprint printed,
    for the reader to compare with the one that the institution publishes.
    """
    try:
        trusted = trusted_certificates(settings) if settings else []
        receipt = receipts.read(file.read_bytes(), trusted)
    except (OSError, SealError, receipts.ReceiptError) as error:
        print(f"The receipt does not hold: {error}", file=sys.stderr)
        return 1
    print(f"Receipt of {receipt.institution}")
    print(f"Number:      {receipt.number}, version {receipt.version}")
    print(f"Submitted:   {receipt.submitted_at}, SHA-256 {in_eights(receipt.version_sha256)}")
    print(f"Journal:     chain {receipt.chain}, position {receipt.position}")
    checkpoint = receipt.sealed_by or "none yet when it was issued"
    print(f"Checkpoint:  {checkpoint}")
    print(f"Signed by:   {common_name(receipt.certificate)}, {receipt.issued_at}")
    print(f"Certificate: SHA-256 {in_eights(fingerprint(receipt.certificate))}")
    if settings is None:
        print("It holds, if this is the institution's certificate.")
        return 0
    faults = asyncio.run(_compare(settings, receipt))
    for fault in faults:
        print(f"FAULT  {fault}")
    print("The journal says otherwise." if faults else "It holds, and the journal says the same.")
    return 1 if faults else 0


async def _compare(settings: Settings, receipt: receipts.Receipt) -> list[IntegrityFault]:
    database = Database.from_settings(settings)
    try:
        async with database.work() as session:
            return await receipts.compare(session, receipt)
    finally:
        await database.close()


def tell(report: VerificationReport) -> int:
    """Print a report. Returns the exit code."""
    print(
        f"Chains:      {report.chains} with {report.entries} entries, "
        f"{report.unsealed} in no checkpoint yet"
    )
    print(
        f"Contents:    {report.contents} read, {report.erased} erased by law"
        + (f", {report.contents_unread} not read: no keys" if report.contents_unread else "")
    )
    print(f"Values:      {report.values} of other tables read")
    print(f"Views:       {report.views}")
    until = (
        f", the last of {report.sealed_until:%Y-%m-%d %H:%M:%S} UTC" if report.sealed_until else ""
    )
    print(f"Checkpoints: {report.checkpoints} in the database{until}")
    store = (
        "the object store is down" if report.store_down else f"{report.stored} in the object store"
    )
    print(f"Copies:      {report.copies} on this machine, {store}")
    for one in report.declared:
        state = "NOT CONFIRMED" if one in report.unconfirmed else "confirmed"
        print(f"DECLARED  on {one.at:%Y-%m-%d}, {state}: {one.told()} ({one.digest[:12]})")
    for fault in report.faults:
        print(f"FAULT  {fault}")
    if not report.tried:
        print("Nothing was there to check, so nothing is proved.")
        return 1
    if report.faults:
        print(f"Faults found: {len(report.faults)}")
        return 1
    if report.unconfirmed:
        print(
            "All of it holds, but for what was declared: information security confirms it on"
            " the page «Журнал»."
        )
        return UNCONFIRMED
    print("All of it holds.")
    return 0


def run_accept(settings: Settings, reason: str) -> int:
    """Accept what checkpoints refuse, and sign the losses of former restores, after people examined
    them.

    Returns the exit code.
    """
    try:
        taken, signed = asyncio.run(_accept(settings, reason))
    except (SealError, acceptance.NotAcceptableError) as error:
        print(f"Nothing was accepted: {error}", file=sys.stderr)
        return 1
    for one in taken:
        print(f"Accepted: {one.kind} {one.ref}, positions {one.first} to {one.last}")
    for first, last in signed:
        print(f"Signed: a former restore lost what the checkpoints {first} to {last} hold")
    declared = len(taken) + len(signed)
    print(f"{declared} accepted and declared." if declared else "Nothing was refused.")
    return 0


async def _accept(
    settings: Settings, reason: str
) -> tuple[Sequence[acceptance.Foreign], Sequence[tuple[int, int]]]:
    database, seal = Database.from_settings(settings), open_seal(settings)
    trusted = trusted_certificates(settings)
    try:
        taken = await acceptance.accept(database, seal, reason)
        return taken, await restore_gaps.sign_former(database, seal, trusted, reason)
    finally:
        await database.close()


async def _verify(settings: Settings, trusted: list[Certificate]) -> VerificationReport:
    keys = settings.keys.get_secret_value()
    ring = KeyRing.installed(keys, settings.home) if keys else None
    database, objects = Database.from_settings(settings), Objects(settings)
    folder = checkpoints_folder(settings.home)
    try:
        return await verify(database, folder, trusted, ring, objects)
    finally:
        await database.close()
        await objects.close()
