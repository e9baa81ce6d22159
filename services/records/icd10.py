"""The dictionary of diagnoses: searching it, resolving a code, importing an edition."""

import csv
import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

from sqlalchemy import and_, func, update
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.records import Icd10Code, Icd10Edition
from rules.clock import now as present
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.records.icd10 import (
    MOST_BYTES,
    Diagnosis,
    Icd10Change,
    Icd10FileError,
    change,
    codes_in,
)
from rules.texts.cleaning import searched
from rules.texts.identifiers import IdentifierError, icd10
from services.journal import entries as journal

SHIPPED = "shipped"
"""The edition of the most usual codes, with which every installation begins."""
MOST_FOUND = 12
_MOST_WORDS = 5
_LEAST = 2
"""So many characters are needed before anything is searched for."""
_NEXT_LATIN = str.maketrans("авсенкмортху", "abcehkmoptxy")


async def search(session: AsyncSession, text: str, on: date) -> Sequence[Diagnosis]:
    """Codes that begin like the text, or whose names have all its words; the shortest first."""
    wanted = searched(text)[:100]
    if len(wanted) < _LEAST:
        return []
    begins = wanted.translate(_NEXT_LATIN).upper().replace(",", ".")
    words = [
        col(Icd10Code.search_text).contains(word, autoescape=True)
        for word in wanted.split()[:_MOST_WORDS]
    ]
    found = await session.exec(
        select(Icd10Code)
        .where(
            _stands(on),
            or_(col(Icd10Code.code).startswith(begins, autoescape=True), and_(*words)),
        )
        .order_by(func.length(col(Icd10Code.name)), col(Icd10Code.code))
        .limit(MOST_FOUND)
    )
    return [_diagnosis(row) for row in found.all()]


async def resolve(
    session: AsyncSession, codes: Collection[str], on: date
) -> Mapping[str, Diagnosis]:
    """The codes that the dictionary has on a day, as an entry keeps them."""
    if not codes:
        return {}
    found = await session.exec(select(Icd10Code).where(col(Icd10Code.code).in_(codes), _stands(on)))
    return {row.code: _diagnosis(row) for row in found.all()}


async def in_words(session: AsyncSession, typed: str, on: date) -> str:
    """The code that typed words mean where they mean one; otherwise what was typed."""
    try:
        return icd10(typed)
    except IdentifierError:
        found = await search(session, typed, on)
        named = [one for one in found if searched(one.name) == searched(typed)]
        one = named or found
        return one[0].code if len(one) == 1 else typed


def _stands(on: date) -> Any:
    return and_(
        col(Icd10Code.valid_from) <= on,
        or_(col(Icd10Code.valid_until).is_(None), col(Icd10Code.valid_until) > on),
    )


def _diagnosis(row: Icd10Code) -> Diagnosis:
    return Diagnosis(row.code, row.name, row.edition)


def read(body: bytes) -> Iterable[Mapping[str, object]]:
    """The lines of a file: CSV with a header, or JSON with a list. Raises Icd10FileError."""
    if len(body) > MOST_BYTES:
        raise Icd10FileError("the file is too large")
    try:
        text = body.decode("utf-8-sig")
        if text.lstrip()[:1] in ("{", "["):
            tree = json.loads(text)
            rows = tree if isinstance(tree, list) else tree.get("records", tree.get("list"))
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise Icd10FileError("JSON without a list of `records`")
            return rows
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise Icd10FileError(f"neither UTF-8 CSV nor JSON: {error}") from None
    head = text[: text.find("\n")]
    mark = max(";,\t", key=head.count)
    return csv.DictReader(io.StringIO(text), delimiter=mark)


async def plan(session: AsyncSession, body: bytes) -> Icd10Change:
    """What importing a file would change. Raises Icd10FileError."""
    wanted, passed_over = codes_in(read(body))
    return change(await _current(session), wanted, passed_over)


async def carry_out(session: AsyncSession, body: bytes, edition: str, on: date) -> Icd10Change:
    """Import a file as this edition, from this day on; the same file again changes nothing.

    Raises Icd10FileError for an edition of that name with other contents.
    """
    digest = sha256(body).hexdigest()
    # One import at a time: the second sees what the first has made.
    await journal.lock_chain(session, SYSTEM_CHAIN)
    known = await session.get(Icd10Edition, edition)
    if known is not None:
        if known.sha256 != digest:
            raise Icd10FileError(f"edition {edition} was imported from another file")
        return Icd10Change((), (), ())
    made = await plan(session, body)
    now = present()
    session.add(
        Icd10Edition(
            name=edition,
            sha256=digest,
            imported_at=now,
            added=len(made.added),
            renamed=len(made.renamed),
            closed=len(made.closed),
        )
    )
    await session.flush()
    gone = [*made.closed, *(code for code, _ in made.renamed)]
    if gone:
        await session.exec(
            update(Icd10Code)
            .where(col(Icd10Code.valid_until).is_(None), col(Icd10Code.code).in_(gone))
            .values(valid_until=func.greatest(col(Icd10Code.valid_from), on))
        )
    session.add_all(
        Icd10Code(code=code, name=name, search_text=searched(name), edition=edition, valid_from=on)
        for code, name in (*made.added, *made.renamed)
    )
    await session.flush()
    await journal.append(
        session,
        chain=SYSTEM_CHAIN,
        kind=JournalKind.ICD10_IMPORTED,
        at=now,
        system="catalogue",
        facts={
            "edition": edition,
            "sha256": digest,
            "added": len(made.added),
            "renamed": len(made.renamed),
            "closed": len(made.closed),
        },
    )
    return made


async def begin(session: AsyncSession, body: bytes, on: date) -> None:
    """Enter the dictionary that ships, where no edition was imported yet."""
    if (await session.exec(select(Icd10Edition.name).limit(1))).first() is None:
        await carry_out(session, body, SHIPPED, on)


async def _current(session: AsyncSession) -> Mapping[str, str]:
    found = await session.exec(
        select(Icd10Code.code, Icd10Code.name).where(col(Icd10Code.valid_until).is_(None))
    )
    return {code: name for code, name in found.all()}  # noqa: C416
