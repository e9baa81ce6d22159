"""Lists as files: at once and in the background, whatever happens in between (S7)."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import openpyxl
import pypdfium2  # type: ignore[import-untyped]
import pytest
from sqlalchemy import update
from sqlmodel import col, select
from temporalio.client import Client
from temporalio.worker import Worker

from activities.exports import ExportActivities
from clients.objects import ObjectMissingError, Objects
from clients.temporal.client import connect
from clients.temporal.rows import RowWaker
from crypto.key_ring import KeyRing
from models.messages import WorkflowName
from models.tables.archive import Export
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from models.tables.people import RoleGrant
from ops.local.home import CHECKOUT
from rules.access import Actor, Role
from rules.archive import ExportKind, ExportState
from rules.cases.process import Status
from rules.clock import now
from rules.refusals import Refusal
from services import access, own_workflows
from services.archive.search import ArchiveFilters
from services.exports import acts as exports
from services.exports import building, columns
from services.exports.acts import Exports
from settings import Settings
from tests.archive.many import copied, own_department
from tests.shared.office import Office
from workflows.exports import ExportWorkflow

BEGAN = datetime(2025, 3, 1, tzinfo=UTC)


class Started:
    """A starter that remembers."""

    def __init__(self) -> None:
        self.ids: list[UUID] = []
        self.anew: list[UUID] = []

    async def __call__(self, row_id: UUID, *, signal: str = "", anew: bool = False) -> bool:
        """Remember; nothing is started."""
        (self.anew if anew else self.ids).append(row_id)
        return True


@pytest.fixture
def service(office: Office, objects: Objects) -> Exports:
    """The service; workflows are not started."""
    return Exports(office.database, objects, "Городская больница", Started())


async def keeper_of(office: Office, number: int, template: UUID | None = None) -> Actor:
    """A reviewer of a department with so many cases."""
    hr = await own_department(office)
    reviewer = await office.person("Кадровик", Role.HR_REVIEWER, hr.id)
    await copied(office, template or await office.in_review(), number, unit=hr.id, began=BEGAN)
    return reviewer


async def row_of(office: Office, export_id: UUID) -> Export:
    """The row as it stands."""
    async with office.database.work() as session:
        return await session.get_one(Export, export_id)


async def made(office: Office, objects: Objects, export_id: UUID) -> bytes:
    """The file, made as the workflow would."""
    await building.gather(office.database, objects, export_id, lambda _: None)
    await building.put_together(
        office.database, objects, "Городская больница", export_id, lambda _: None
    )
    key = (await row_of(office, export_id)).object_key
    assert key is not None
    return await objects.read(key)


def sheet(body: bytes) -> Sequence[Sequence[object]]:
    """The rows of a workbook under its head, as an independent reader sees them."""
    rows = list(openpyxl.load_workbook(BytesIO(body)).worksheets[0].values)
    first = next(n for n, row in enumerate(rows) if row[0] == "Номер")
    return rows[first + 1 :]


async def test_a_short_list_is_made_at_once(office: Office, service: Exports) -> None:
    """PDF and XLSX hold the same lines as the page, and the filters in words."""
    case_id = await office.in_review()
    number = (await office.case(case_id)).number
    filters = ArchiveFilters(status=(Status.IN_REVIEW,))
    book = await service.at_once(office.clinician, ExportKind.XLSX, filters)
    assert book is not None
    [row] = sheet(book)
    assert row[0] == number
    assert row[3:6] == ("Соколова Анна Сергеевна", "Кардиологическое отделение", "На рассмотрении")
    paper = await service.at_once(office.clinician, ExportKind.PDF, filters)
    assert paper is not None
    text = pypdfium2.PdfDocument(paper)[0].get_textpage().get_text_range()
    assert number in text
    assert "состояние: На рассмотрении" in text


async def test_moments_are_moments_in_a_workbook(office: Office, service: Exports) -> None:
    """They sort by time and not by the day of the month, by the clock of the reader's unit."""
    unit = await own_department(office, time_zone="Asia/Kamchatka")
    far = await office.person("Дальняя Анна", Role.DOCTOR, unit.id)
    case = await office.case(await office.in_review(far))
    body = await service.at_once(far, ExportKind.XLSX, ArchiveFilters())
    assert body is not None
    book = openpyxl.load_workbook(BytesIO(body)).worksheets[0]
    [row] = [row for row in book.iter_rows() if row[0].value == case.number]
    for cell, moment in ((row[6], case.submitted_at), (row[7], case.since)):
        assert moment is not None
        local = moment.astimezone(ZoneInfo("Asia/Kamchatka")).replace(tzinfo=None)
        assert isinstance(cell.value, datetime)
        assert cell.value == local.replace(second=0, microsecond=0)
        assert (cell.is_date, cell.number_format) == (True, "dd.mm.yyyy hh:mm")
    assert "UTC+12" in str(book["A2"].value)
    paper = await service.at_once(far, ExportKind.PDF, ArchiveFilters())
    assert paper is not None
    text = pypdfium2.PdfDocument(paper)[0].get_textpage().get_text_range()
    assert f"{local:%d.%m.%Y}" in text
    assert "UTC+12" in text


async def test_what_looks_like_a_formula_stays_text(office: Office, service: Exports) -> None:
    """A name that begins like a formula is a text in the sheet, and stays one when edited."""
    evil = await office.person('=HYPERLINK("http://evil.example";"x")', Role.DOCTOR, office.ward)
    await office.in_review(evil)
    body = await service.at_once(evil, ExportKind.XLSX, ArchiveFilters())
    assert body is not None
    book = openpyxl.load_workbook(BytesIO(body)).worksheets[0]
    [cell] = [c for row in book.iter_rows() for c in row if str(c.value).startswith("=HYPER")]
    assert cell.data_type == "s"
    assert cell.quotePrefix


async def test_a_long_list_is_asked_for_and_made(
    office: Office, objects: Objects, service: Exports
) -> None:
    """More than 200 rows go into the background; the file holds every one once, and is told of."""
    reviewer = await keeper_of(office, 1203)
    assert await service.at_once(reviewer, ExportKind.XLSX, ArchiveFilters()) is None
    export = await service.ask(reviewer, ExportKind.XLSX, ArchiveFilters())
    assert export.total == 1203
    numbers = [row[0] for row in sheet(await made(office, objects, export.id))]
    assert len(numbers) == len(set(numbers)) == 1203
    row = await row_of(office, export.id)
    assert (row.state, row.done) == (ExportState.READY, 1203)
    async with office.database.work() as session:
        told = await session.exec(select(Notice).where(Notice.person_id == reviewer.person_id))
        assert [notice.kind for notice in told] == ["export_ready"]
    left = [item.key async for item in objects.list(f"{row.folder}/")]
    assert left == [row.object_key]


async def test_a_long_list_on_paper_has_running_pages(
    office: Office, objects: Objects, service: Exports
) -> None:
    """The stretches are one document: each number once, pages counted through, columns repeated."""
    reviewer = await keeper_of(office, 450)
    export = await service.ask(reviewer, ExportKind.PDF, ArchiveFilters())
    document = pypdfium2.PdfDocument(await made(office, objects, export.id))
    pages = [page.get_textpage().get_text_range() for page in document]
    assert len(pages) > 10
    assert all(page.rstrip().endswith(str(n)) for n, page in enumerate(pages, 1))
    assert all("Заявитель" in page for page in pages)
    assert sum(page.count("ПК-2025-") for page in pages) == 450


async def test_an_export_killed_in_the_middle_goes_on(
    office: Office, objects: Objects, service: Exports, settings: Settings
) -> None:
    """The parts that were kept are not read again; nothing is missing, nothing is there twice."""
    reviewer = await keeper_of(office, 1700)
    export = await service.ask(reviewer, ExportKind.XLSX, ArchiveFilters())
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.exports.half",
        str(export.id),
        "2",
        cwd=CHECKOUT,
        env={**os.environ, **environment(settings)},
    )
    assert await child.wait() == -signal.SIGKILL
    row = await row_of(office, export.id)
    assert (row.parts, row.done, row.state) == (2, 1000, ExportState.RUNNING)
    kept = {item.key: item.modified async for item in objects.list(f"{row.folder}/")}
    beats: list[int] = []
    await building.gather(
        office.database, objects, export.id, lambda progress: beats.append(progress.done)
    )
    assert beats == [1500, 1700]
    now_there = {item.key: item.modified async for item in objects.list(f"{row.folder}/")}
    assert {key: now_there[key] for key in kept} == kept
    numbers = [line[0] for line in sheet(await made(office, objects, export.id))]
    assert len(numbers) == len(set(numbers)) == 1700


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a child process reads them."""
    return {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "MEDCAB_KEYS": settings.keys.get_secret_value(),
        "S3_ENDPOINT": settings.s3_endpoint,
        "S3_ACCESS_KEY": settings.s3_access_key.get_secret_value(),
        "S3_SECRET_KEY": settings.s3_secret_key.get_secret_value(),
        "S3_BUCKET": settings.s3_bucket,
    }


async def test_three_at_a_time(office: Office, service: Exports) -> None:
    """A fourth is refused until one ends; a cancelled one makes room and stops."""
    reviewer = await keeper_of(office, 3)
    asked = [await service.ask(reviewer, ExportKind.PDF, ArchiveFilters()) for _ in range(3)]
    with pytest.raises(Refusal, match="too_many_exports"):
        await service.ask(reviewer, ExportKind.PDF, ArchiveFilters())
    await service.cancel(reviewer, asked[0].id)
    await service.ask(reviewer, ExportKind.PDF, ArchiveFilters())
    with pytest.raises(Refusal, match="not_found"):
        await service.cancel(office.clinician, asked[1].id)


async def test_a_cancelled_export_stops_where_it_is(
    office: Office, objects: Objects, service: Exports
) -> None:
    """The work sees it with the next part, and makes no file."""
    reviewer = await keeper_of(office, 1100)
    export = await service.ask(reviewer, ExportKind.XLSX, ArchiveFilters())
    await service.cancel(reviewer, export.id)
    progress = await building.gather(
        office.database, objects, export.id, lambda _: pytest.fail("went on")
    )
    assert not progress.under_way
    assert (await row_of(office, export.id)).state == ExportState.CANCELLED


async def test_whoever_lost_the_right_gets_nothing(
    office: Office, objects: Objects, service: Exports
) -> None:
    """I6, I7: a right that was lost stops the work, and closes a file that was ready."""
    reviewer = await keeper_of(office, 5)
    ready = await service.ask(reviewer, ExportKind.XLSX, ArchiveFilters())
    await made(office, objects, ready.id)
    _, opened = await service.download(reviewer, ready.id)
    await opened.close()
    waiting = await service.ask(reviewer, ExportKind.XLSX, ArchiveFilters())
    async with office.database.work() as session:
        await session.exec(
            update(RoleGrant)
            .where(col(RoleGrant.person_id) == reviewer.person_id)
            .values(valid_until=now())
        )
    async with office.database.work() as session:
        less = await access.actor_for(session, reviewer.person_id, now())
    with pytest.raises(Refusal, match="rights_changed"):
        await service.download(less, ready.id)
    await building.gather(office.database, objects, waiting.id, lambda _: None)
    stopped = await row_of(office, waiting.id)
    assert (stopped.state, stopped.reason, stopped.parts) == (ExportState.FAILED, "rights", 0)


async def test_only_the_person_who_asked_downloads_and_it_is_journaled(
    office: Office, objects: Objects, service: Exports
) -> None:
    """A colleague with the same rights gets nothing; asking and each download are entries (I9)."""
    reviewer = await keeper_of(office, 5)
    export = await service.ask(reviewer, ExportKind.PDF, ArchiveFilters())
    await made(office, objects, export.id)
    with pytest.raises(Refusal, match="not_found"):
        await service.download(office.head, export.id)
    _, opened = await service.download(reviewer, export.id)
    body = b"".join([chunk async for chunk in opened.chunks()])
    assert body.startswith(b"%PDF-")
    async with office.database.work() as session:
        entries = await session.exec(
            select(JournalEntry.kind)
            .where(JournalEntry.chain == reviewer.person_id)
            .order_by(col(JournalEntry.position))
        )
        assert entries.all() == ["export.asked", "export.downloaded"]


async def test_files_are_swept_after_a_week_and_not_before(
    office: Office, objects: Objects, service: Exports
) -> None:
    """The night leaves what can be downloaded, and removes what is over and what has no row."""
    reviewer = await keeper_of(office, 5)
    export = await service.ask(reviewer, ExportKind.XLSX, ArchiveFilters())
    await made(office, objects, export.id)
    key = (await row_of(office, export.id)).object_key or ""
    stray = f"{Objects.fresh_key(exports.FOLDER)}/part-00000"
    await objects.put(stray, b"x", 1, "application/gzip")
    await building.sweep(office.database, objects, now())
    await objects.read(key)
    await objects.read(stray)
    await building.sweep(office.database, objects, now() + timedelta(days=8))
    for gone in (key, stray):
        with pytest.raises(ObjectMissingError):
            await objects.read(gone)
    with pytest.raises(Refusal, match="not_found"):
        await service.download(reviewer, export.id)
    assert (await row_of(office, export.id)).state == ExportState.REMOVED


async def test_what_nobody_moves_is_started_again(office: Office, objects: Objects) -> None:
    """While Temporal is down an export waits; the sweeper starts it once it can."""
    started = Started()
    service = Exports(office.database, objects, "Больница", started)
    reviewer = await keeper_of(office, 3)
    export = await service.ask(reviewer, ExportKind.PDF, ArchiveFilters())
    assert started.ids == [export.id]
    async with office.database.work() as session:
        await session.exec(
            update(Export)
            .where(col(Export.id) == export.id)
            .values(beat_at=now() - timedelta(minutes=2))
        )
    for _ in range(2):
        await swept(office, started)
    assert started.ids.count(export.id) == 2, "and not again for a minute"
    # Its own run would have given it up by now: another holds its place.
    async with office.database.work() as session:
        await session.exec(
            update(Export)
            .where(col(Export.id) == export.id)
            .values(
                beat_at=now() - exports.OWN.held - timedelta(minutes=1),
                woken_at=now() - timedelta(minutes=2),
            )
        )
    for _ in range(2):
        await swept(office, started)
    assert started.anew == [export.id], "and once: from then on it has its time again"


async def swept(office: Office, start: Started) -> None:
    """Let the sweeper look for late exports."""
    minute = timedelta(minutes=1)
    await own_workflows.wake_late(office.database, exports.OWN, start, now(), minute)


async def test_the_workflow_makes_the_file(
    office: Office, objects: Objects, settings: Settings
) -> None:
    """On a real Temporal: asked, gathered, put together, told; started twice it is made once."""
    client: Client = await connect(settings, KeyRing.parse(settings.keys.get_secret_value()))
    queue = f"exports-{uuid4()}"
    start = RowWaker(client, queue, WorkflowName.EXPORT)
    service = Exports(office.database, objects, "Больница", start)
    reviewer = await keeper_of(office, 620)
    activities = ExportActivities(settings, office.database, objects)
    async with Worker(
        client,
        task_queue=queue,
        workflows=[ExportWorkflow],
        activities=[
            activities.gather_lines,
            activities.put_together,
            activities.give_export_up,
        ],
    ):
        export = await service.ask(reviewer, ExportKind.XLSX, ArchiveFilters())
        assert await start(export.id)
        result = await client.get_workflow_handle(f"export-{export.id}").result()
    assert result["done"] == 620
    row = await row_of(office, export.id)
    assert row.state == ExportState.READY
    assert len(sheet(await objects.read(row.object_key or ""))) == 620


@pytest.mark.parametrize("end", ["1900-01-01T00:00:00+14:00", "2200-12-31T23:59:59-14:00"])
async def test_the_ends_of_the_calendar_can_be_written(office: Office, end: str) -> None:
    """S7: a list that is narrowed to a moment that no local clock shows is made all the same."""
    moment = datetime.fromisoformat(end)
    filters = ArchiveFilters(submitted_from=moment, submitted_until=moment)
    async with office.database.work() as session:
        words = await columns.conditions(session, filters, ZoneInfo("Europe/Moscow"))
    assert len(words) == 2
