"""P7: pages of lists among many cases and credentials; and how much memory a long export takes.

Both sides of P7 are Medcab: two reviewers ask the same routes over the same database. The
department of one has a thousand cases and credentials, that of the other fifty thousand.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from statistics import median
from urllib.parse import quote
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.ground import Office
from bench.method import Block, Comparison, Costs, Figure, Interval, Promise, Series, judge
from bench.wire import Wire
from clients.objects import Objects
from models.tables.credentials import Credential, CredentialVersion
from models.tables.people import Person, Unit
from ops.faults.people import ApiUser, join
from ops.local.home import CHECKOUT
from rules.access import Role
from rules.archive import ExportKind
from rules.clock import now
from rules.credentials.versions import How
from services import access
from services.archive.search import ArchiveFilters
from services.catalogue import lookup as catalogue
from services.credentials import categories
from services.exports.acts import Exports
from settings import Settings

FEW, MANY = 1_000, 50_000
RARE = 10
EACH, DAYS, AT_ONCE = 10, 1_800, 100
"""How many credentials one person has, over how many days they end; people written at once."""
SHORT, LONG = 1_000, 10_000
FLAT = 1.3

_COPY = """
insert into "case" (
  id, kind, type, type_version, programme_id, number, applicant_id, unit_id, responsible_unit_id,
  status, step, version, created_at, submitted_at, since, closed_at, waits_for, due_at, term_zone,
  alarms, rings, draft_attachments
)
select gen_random_uuid(), kind, type, type_version, programme_id,
  'ПК-2020-' || lpad(n::text, 7, '0') || '-' || left(md5(:mark), 6), applicant_id, unit_id,
  cast(:unit as uuid), case when n % :every = 0 then 'clarification' else 'in_review' end,
  2, 1, now() - n * interval '1 minute', now() - n * interval '1 minute', now(), null, 'reviewer',
  now() + n * interval '1 minute', term_zone, 0, 0, '[]'
from "case", generate_series(1, :number) n
where id = :template
"""


async def _department(office: Office, number: int, template: UUID) -> ApiUser:
    """A reviewer whose department has `number` cases in review."""
    async with office.database.work() as session:
        unit = Unit(code=uuid4().hex, name=f"Кадры филиала, {number}")
        session.add(unit)
        await session.flush()
        values = {
            "unit": unit.id,
            "number": number,
            "template": template,
            "mark": str(unit.id),
            "every": max(number // RARE, 1),
        }
        await session.exec(text("set local statement_timeout = 0"))  # type: ignore[call-overload]
        await session.exec(text(_COPY), params=values)  # type: ignore[call-overload]
        await _qualify(session, unit.id, number)
    return await join(office.database, "Кадрова Инна Львовна", Role.HR_REVIEWER, unit.id)


async def _qualify(session: AsyncSession, unit_id: UUID, number: int) -> None:
    """Give the people of a unit so many credentials, `EACH` to one person; none has a workflow."""
    definition, moment = await categories.newest(session, "accreditation"), now()
    for first in range(0, number, EACH * AT_ONCE):
        owners = [
            Person(
                unit_id=unit_id,
                position="медицинская сестра",
                name="Штатная Анна Ивановна",
                email=f"{uuid4().hex}@example.org",
                created_at=moment,
            )
            for _ in range(first, min(first + EACH * AT_ONCE, number), EACH)
        ]
        session.add_all(owners)
        await session.flush()
        made = [
            Credential(
                owner_id=owner.id,
                category=definition.key,
                issued_on=moment.date(),
                valid_until=(moment + timedelta(days=(first + n) % DAYS)).date(),
                created_at=moment,
            )
            for n, owner in enumerate(owner for owner in owners for _ in range(EACH))
        ]
        session.add_all(made)
        await session.flush()
        session.add_all(
            CredentialVersion(
                credential_id=one.id,
                number=1,
                category_version=definition.version,
                data={definition.about: "Сестринское дело"},
                issued_on=one.issued_on,
                valid_until=one.valid_until,
                source="own",
                how=How.ADDED.value,
                made_at=moment,
            )
            for one in made
        )
        await session.flush()
        session.expunge_all()


async def _analyze(settings: Settings) -> None:
    """Update the statistics of the planner, as autovacuum would do within a minute.

    Without this, figures of one run would be measured with different statistics.
    """
    url = settings.database_owner_url or settings.database_url
    async with await psycopg.AsyncConnection.connect(url.get_secret_value()) as owner:
        await owner.execute('analyze "case", credential, credential_version, person')


PATHS = {
    "list": ("archive, no filter", "/api/v1/archive"),
    "rare": (f"archive, a status that {RARE} cases have", "/api/v1/archive?status=clarification"),
    "none": ("archive, a kind that no case has", "/api/v1/archive?kind=request"),
    "words": ("archive, words of a title that no case has", "/api/v1/archive?text=диагностика"),
    "title": ("archive, words that all cases have", "/api/v1/archive?text={title}"),
    "queue": ("review queue", "/api/v1/desk?status=in_review"),
    "staff": ("credentials of the staff", "/api/v1/credentials/staff"),
    "soon": ("credentials that end soon", "/api/v1/credentials/staff?standing=soon"),
}


async def crowd(office: Office, number: int) -> ApiUser:
    """Cases and credentials of others, and the reviewer of their department."""
    [(template, wire)] = await office.drafts(1)
    await office.submit(template, wire)
    await office.watches["medcab"].until(template, "in_review")
    reviewer = await _department(office, number, template)
    await _analyze(office.ground.settings)
    return reviewer


async def p7(office: Office, scale: float) -> list[Figure]:
    """A page of the archive and of the queue, among many cases against among few."""
    each, many = 10, int(MANY * scale)
    [(template, wire)] = await office.drafts(1)
    await office.submit(template, wire)
    await office.watches["medcab"].until(template, "in_review")
    wires = {}
    for number in (FEW, many):
        player = await _department(office, number, template)
        wires[number] = Wire(office.ground.settings.public_url, player.token)
    await _analyze(office.ground.settings)
    async with office.database.work() as session:
        title = (await catalogue.programme(session, office.programme_id)).title

    def reading(wire: Wire, path: str) -> Block:
        async def block() -> Costs:
            costs = []
            for _ in range(each):
                began = time.perf_counter()
                await wire.ask("GET", path)
                costs.append(time.perf_counter() - began)
            return {"list": median(costs)}

        return block

    figures = []
    for name, (what, path) in PATHS.items():
        at = quote(path.format(title=title), safe="/?=&")
        promise = Promise(
            "list", f"P7 {name}", f"{what}: {many} to {FEW}", Comparison.AT_MOST, 1.15
        )
        ours, least = reading(wires[many], at), reading(wires[FEW], at)
        figures += await judge([promise], ours, least, Series(20).scaled(scale), each)
    for wire in wires.values():
        wire.close()
    return figures


async def export(office: Office, scale: float) -> list[Figure]:
    """Peak memory of an export of ten thousand rows, against one of a thousand."""
    long = int(LONG * scale) if scale < 1 else LONG
    [(template, wire)] = await office.drafts(1)
    await office.submit(template, wire)
    await office.watches["medcab"].until(template, "in_review")
    found = []
    for kind in ExportKind:
        told = {}
        for number in (SHORT, long):
            player = await _department(office, number, template)
            told[number] = await _export(office, player, kind)
        for who in ("own", "child"):
            few, many = told[SHORT][who], told[long][who]
            ratio = many / few
            found.append(
                Figure(
                    name=f"export {kind.value}",
                    what=f"peak memory of {_WHO[who]}: {long} to {SHORT} rows",
                    bound=Comparison.AT_MOST,
                    bar=FLAT,
                    ratio=Interval(ratio, ratio, ratio),
                    control=None,
                    tried=long,
                    ours=many / _MB,
                    least=few / _MB,
                    unit="MB",
                    notes={"rows per second": f"{long / told[long]['seconds']:.0f}"},
                )
            )
    return found


_WHO = {"own": "the worker", "child": "the process that sets the file"}
_MB = 1024 * 1024


async def _started(row_id: UUID, *, signal: str = "", anew: bool = False) -> bool:
    return True


async def _export(office: Office, player: ApiUser, kind: ExportKind) -> Mapping[str, float]:
    """Make one export in a process of its own: its peaks of memory in bytes, and its seconds."""
    settings = office.ground.settings
    service = Exports(
        office.database,
        Objects(settings),
        settings.institution,
        _started,
    )
    async with office.database.work() as session:
        actor = await access.actor_for(session, player.person_id, now())
    asked = await service.ask(actor, kind, ArchiveFilters())
    return await measured_export(settings, asked.id)


async def measured_export(settings: Settings, export_id: UUID) -> Mapping[str, float]:
    """What `bench.exporting` reports of an export. Raises RuntimeError when it fails."""
    given = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "MEDCAB_KEYS": settings.keys.get_secret_value(),
        "S3_ENDPOINT": settings.s3_endpoint,
        "S3_ACCESS_KEY": settings.s3_access_key.get_secret_value(),
        "S3_SECRET_KEY": settings.s3_secret_key.get_secret_value(),
        "S3_BUCKET": settings.s3_bucket,
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.exporting",
        str(export_id),
        cwd=CHECKOUT,
        env={**os.environ, **given},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await child.communicate()
    if child.returncode != 0:
        raise RuntimeError("the export failed")
    told: dict[str, float] = json.loads(said)
    return told
