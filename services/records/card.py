"""The card of a patient on paper: PDF/A with every entry, its corrections and its mistakes.

It is set in a process of its own, two at a time, and has at most `MOST` entries: a longer card is
printed by period.
"""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from clients.database import Database
from rules.access import Actor
from rules.clock import now as present
from rules.journal.tags import ViewCode
from rules.patients.identity import SEX_WORDS
from rules.records.entries import STATE_WORDS, EntryState, too_long_to_print
from services import access
from services.exports.rendering import PaperJob, make
from services.papers.typesetting import utc_shift
from services.records import page, seen
from services.records.page import PatientHead
from services.records.seen import EntrySeen, EntryVersionSeen

MOST = 500
"""How many entries one paper has."""


async def print_card(
    database: Database,
    actor: Actor,
    patient_id: UUID,
    institution: str,
    since: datetime | None = None,
    until: datetime | None = None,
) -> bytes:
    """The card as PDF/A; that it was printed is recorded. Raises Refusal 403, 404, 422."""
    at = present()
    async with database.work() as session:
        head = await page.head(session, actor, patient_id, at, ViewCode.RECORD_CARD)
        found = await seen.entries(
            session, head.patients, since=since, before=until, limit=MOST + 1
        )
        if len(found) > MOST:
            raise too_long_to_print()
        known = await seen.versions(session, found)
        whole = [known[one.id] for one in found]
        wrote = [version.made_by for versions in whole for version in versions]
        names = await seen.names(session, [*wrote, *(one.mistaken_by for one in found)])
        zone = await access.zone_of(session, actor.unit_id)
    facts = facts_of(head, list(zip(found, whole, strict=True)), names, institution, zone)
    with tempfile.TemporaryDirectory(prefix="medcab-card-") as folder:
        out = Path(folder) / "card.pdf"
        await make(
            PaperJob(
                work="paper",
                template="case.typ",
                facts=facts,
                at=int(at.timestamp()),
                out=str(out),
            )
        )
        return await asyncio.to_thread(out.read_bytes)


def facts_of(
    head: PatientHead,
    entries: Sequence[tuple[EntrySeen, Sequence[EntryVersionSeen]]],
    names: Mapping[UUID, str],
    institution: str,
    zone: ZoneInfo,
) -> dict[str, Any]:
    """The facts for the template `case.typ`. Times are in the zone of whoever prints."""

    def moment(when: datetime) -> str:
        return f"{when.astimezone(zone):%d.%m.%Y, %H:%M}"

    who, drawn_up = head.who, f"напечатано {moment(head.now)}"
    number = str(head.look.joined.main)
    warned = [
        (one.kind.title, f"{one.current.about}: {one.current.shown(one.kind.warned.by)}")
        for one in head.warnings
        if one.kind.warned
    ]
    return {
        "lang": "ru",
        "institution": institution,
        "title": "Медицинская карта",
        "number": number,
        "date": drawn_up,
        "heading": "Медицинская карта",
        "footer": f"Медицинская карта, {drawn_up} ({utc_shift(head.now.astimezone(zone))})",
        "rows": [
            ("Пациент", who.name),
            ("Дата рождения", f"{who.birth_date:%d.%m.%Y}"),
            ("Пол", SEX_WORDS[who.sex]),
            *([("СНИЛС", who.snils)] if who.snils else []),
            *([("Полис ОМС", who.policy)] if who.policy else []),
        ],
        "sections": [
            _section("Аллергии и непереносимость", rows=warned)
            if warned
            else _section("Аллергии и непереносимость", words=["Не записано."]),
            *[_entry(head, one, versions, names, moment) for one, versions in entries],
        ],
    }


def _section(
    title: str, words: Sequence[str] = (), rows: Sequence[Sequence[str | None]] = ()
) -> dict[str, Any]:
    return {"title": title, "level": 2, "words": words, "rows": rows, "items": []}


def _entry(
    head: PatientHead,
    one: EntrySeen,
    versions: Sequence[EntryVersionSeen],
    names: Mapping[UUID, str],
    moment: Any,
) -> dict[str, Any]:
    words = []
    if one.patient_id != head.patient_id:
        other = head.others[one.patient_id]
        words.append(f"Записано на имя: {other.name}, {other.birth_date:%d.%m.%Y}.")
    if one.state is not EntryState.SIGNED:
        words.append(f"{STATE_WORDS[one.state].capitalize()}. {one.mistaken_reason or ''}".strip())
    for version in versions[:-1]:
        by = names.get(version.made_by, "")
        words.append(f"Исправлено {moment(version.made_at)}, {by}: {version.reason or ''}")
    current, before = versions[0], versions[1] if len(versions) > 1 else None
    rows: list[Sequence[str | None]] = []
    for name, field in current.kind.fields.items():
        value = current.shown(name)
        old = before.shown(name) if before and name in before.kind.fields else None
        struck = old if before and old != value else None
        if value or struck:
            rows.append((field.label, value or "не указано", struck))
    form = f" ({one.kind.form_number})" if one.kind.form_number else ""
    author = names.get(versions[-1].made_by, "")
    return _section(f"{one.kind.title}{form}, {moment(one.signed_at)}, {author}", words, rows)
