"""The audit as a file: a list, and a signed head that says what it is and where the journal stood.

The head names the file by its SHA-256, what was asked for, how many lines there are, and the last
checkpoint of the journal, with its number, its hash and its root. The institution's seal signs it:
`head.p7s` is a detached CMS over the bytes of `head.json`.
"""

import asyncio
import hashlib
import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto.certificates import as_pem
from models.tables.journal import JournalCheckpoint
from rules.access import Actor
from rules.archive import ExportKind
from rules.clock import now
from rules.journal.entries import JournalKind, canonical, moment
from rules.journal.tag_words import TAG_WORDS
from rules.refusals import Refusal
from services import access
from services.exports.columns import AUDIT_ABOUT, AUDIT_COLUMNS
from services.exports.lists import made
from services.exports.rendering import Head
from services.journal import audit_log, searching
from services.journal.audit_log import AuditLine
from services.journal.searching import AuditAsked
from services.seal import Seal

MOST = 1000
"""How many lines one file has at most; of more, a shorter period is to be chosen."""
LIST, HEAD, SIGNATURE = "journal.xlsx", "head.json", "head.p7s"


async def export(
    database: Database, actor: Actor, institution: str, seal: Seal, asked: AuditAsked
) -> bytes:
    """The lines asked for, as a ZIP; journaled, as a search is.

    Raises Refusal 403 without the right, 422 for a search that is wrong, empty or too long.
    """
    at = now()
    async with database.work() as session:
        query = await searching.understood(session, actor, asked)
        found = await audit_log.page(session, query, limit=MOST)
        if not found.lines:
            raise Refusal("nothing_to_export", "По этим условиям ничего не найдено.", 422)
        if found.after is not None:
            message = "Записей больше 1000. Сузьте условия, например период."
            raise Refusal("too_long", message, 422)
        zone = await access.zone_of(session, actor.unit_id)
        checkpoint = await _checkpoint(session)
        facts = {"by": sorted(asked.given()), "lines": len(found.lines)}
        await searching.note(session, actor, JournalKind.JOURNAL_EXPORTED, facts, asked)
    listed = await _list(institution, at, zone, found.lines)
    head = canonical(
        {
            "about": AUDIT_ABOUT,
            "asked": asked.given(),
            "by": str(actor.person_id),
            "checkpoint": checkpoint,
            "file": LIST,
            "institution": institution,
            "lines": len(found.lines),
            "made": moment(at),
            "sha256": hashlib.sha256(listed).hexdigest(),
            "since": moment(query.since),
            "until": moment(query.until),
        }
    )
    signature = await asyncio.to_thread(seal.sign_bytes, head)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(LIST, listed)
        packed.writestr(HEAD, head)
        packed.writestr(SIGNATURE, signature)
        packed.writestr("seal.pem", as_pem(seal.certificate))
    return out.getvalue()


async def _checkpoint(session: AsyncSession) -> dict[str, Any] | None:
    newest = select(JournalCheckpoint).order_by(col(JournalCheckpoint.number).desc()).limit(1)
    one = (await session.exec(newest)).one_or_none()
    if one is None:
        return None
    return {
        "at": moment(one.at),
        "hash": one.hash.hex(),
        "number": one.number,
        "root": one.root.hex(),
    }


async def _list(
    institution: str, at: datetime, zone: ZoneInfo, lines: Sequence[AuditLine]
) -> bytes:
    shown = f"{at.astimezone(zone):%d.%m.%Y, %H:%M}"
    head = Head(
        lang="ru",
        institution=institution,
        title="Журнал",
        about=[f"Журнал действий и обращений, {shown}", f"Записей: {len(lines)}"],
        columns=AUDIT_COLUMNS,
        moments=(0,),
        footer=f"Журнал на {shown}",
        at=int(at.timestamp()),
    )
    return await made(ExportKind.XLSX, head, [_row(line, zone) for line in lines])


def _row(line: AuditLine, zone: ZoneInfo) -> list[str]:
    at = line.at.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")
    return [
        at,
        line.by_name or line.system or "",
        TAG_WORDS[line.tag],
        line.tag.value,
        line.case_number or "",
        line.about_name,
        line.address,
        str(line.id),
    ]
