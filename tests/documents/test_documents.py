"""Documents are given once, replaced, chosen again, opened by those entitled (Q2, Q3, Q9, Q10)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlmodel import col, func, select

from clients.database import Database
from clients.objects import Objects
from models.tables.documents import DocumentImage, DocumentVersion
from models.tables.journal import JournalEntry, RecordView
from rules import clock
from rules.access import Actor, Permission, Role
from rules.files.categories import Category
from rules.files.checks import START, Code, MediaType, Verdict
from rules.refusals import Refusal
from services.documents.acts import Documents, Opening
from services.documents.views import Given
from services.files import intake
from services.files.inspection.client import Inspection
from services.files.intake import FOLDER, Files, Incoming, sweep
from settings import Settings
from tests.files import samples as s
from tests.shared.hospital import Hospital, sent
from tests.shared.statements import statements


async def content_of(opening: Opening) -> bytes:
    """Everything that an opened file gives."""
    return b"".join([chunk async for chunk in opening.opened.chunks()])


async def given(documents: Documents, actor: Actor, incoming: Incoming) -> Given:
    """A diploma that was accepted."""
    result = await documents.give(actor, incoming, Category.DIPLOMA, "Диплом врача")
    assert result.good, result.findings
    return result


async def kept(objects: Objects) -> set[str]:
    """The keys of all files of documents."""
    return {item.key async for item in objects.list(f"{FOLDER}/")}


@pytest.mark.parametrize("announced", [True, False])
async def test_document_is_kept_as_given(
    documents: Documents, hospital: Hospital, announced: bool
) -> None:
    """The file is kept byte for byte with its hash, whether its length was announced or not."""
    doctor, content = await hospital.person(), s.born_digital()
    result = await given(documents, doctor, sent(content, announced=announced))
    assert result.document is not None
    version = result.document.version
    assert (version.number, version.pages, version.size) == (1, 1, len(content))
    assert version.sha256 == hashlib.sha256(content).hexdigest()
    assert (version.file_name, version.media_type) == ("Диплом.pdf", "application/pdf")
    opening = await documents.open(doctor, version.id)
    assert await content_of(opening) == content


async def test_an_upload_costs_few_statements(
    documents: Documents, hospital: Hospital, database: Database
) -> None:
    """Room for a file and for its bytes; the turn, the look for the same file, and all its rows."""
    doctor = await hospital.person()
    with statements(database) as asked:
        await given(documents, doctor, sent(s.born_digital()))
    assert len(asked) == 5, asked


async def test_refused_file_is_written_down_and_not_kept(
    documents: Documents, hospital: Hospital, database: Database, objects: Objects
) -> None:
    """A bad file leaves a verdict with its reasons and no object (Q3)."""
    doctor, before = await hospital.person(), await kept(objects)
    for announced in (True, False):
        bad = sent(s.action(b"/S /Launch /F (x)"), announced=announced)
        result = await documents.give(doctor, bad, Category.DIPLOMA)
        assert not result.good
        assert [finding.code for finding in result.findings] == [Code.LAUNCH]
    assert await kept(objects) == before
    assert list(await documents.mine(doctor)) == []
    async with database.work() as session:
        found = await session.exec(
            select(DocumentVersion).where(DocumentVersion.uploaded_by == doctor.person_id)
        )
        rows = found.all()
        entries = await session.exec(
            select(JournalEntry.kind).where(JournalEntry.by_person == doctor.person_id)
        )
        assert entries.all() == ["document.refused", "document.refused"]
    assert [(row.verdict, row.object_key) for row in rows] == [(Verdict.REFUSED, None)] * 2
    assert rows[0].findings == [{"code": "launch"}]


@pytest.mark.asvs("5.2.1")
@pytest.mark.parametrize(
    ("incoming", "code"),
    [
        (sent(b"", size=0), Code.EMPTY),
        (sent(b"", announced=False), Code.EMPTY),
        (sent(b"", size=10 * 1024 * 1024 + 1), Code.TOO_BIG),
        (sent(b"%PDF-1.7" + bytes(10 * 1024 * 1024), announced=False), Code.TOO_BIG),
        (sent(b"%PDF-1.7" * 10, size=200), Code.CUT_OFF),
        (sent(b"%PDF-1.7" * 300, size=200), Code.CUT_OFF),
        (sent(b"x", "table.xlsx", "application/vnd.ms-excel"), Code.WRONG_TYPE),
        (sent(b"x", "diploma.jpg", "application/pdf"), Code.TYPE_MISMATCH),
        (sent(b"x", None, None), Code.WRONG_TYPE),
        (sent(b"\0\0\0\x24ftypheic", "IMG_0001.HEIC", "image/heic"), Code.HEIC),
    ],
)
async def test_limits_hold_before_and_while_reading(
    documents: Documents, hospital: Hospital, objects: Objects, incoming: Incoming, code: Code
) -> None:
    """What can be refused before reading is; what grows too long is cut off; nothing is kept."""
    before = await kept(objects)
    result = await documents.give(await hospital.person(), incoming, Category.DIPLOMA)
    assert [finding.code for finding in result.findings] == [code]
    assert not result.good
    assert await kept(objects) == before


async def test_too_big_file_is_not_read(documents: Documents, hospital: Hospital) -> None:
    """A length beyond the limit is refused without taking a single byte."""

    async def untouched() -> AsyncIterator[bytes]:
        raise AssertionError("read")
        yield b""

    incoming = Incoming(untouched(), "a.pdf", "application/pdf", 11 * 1024 * 1024)
    result = await documents.give(await hospital.person(), incoming, Category.DIPLOMA)
    assert [finding.code for finding in result.findings] == [Code.TOO_BIG]


@pytest.mark.asvs("5.2.2")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Диплом 12.05.2020", ""),
        ("Диплом", "application/octet-stream"),
        ("Диплом.pdf", "application/x-download"),
        ("Диплом.pdf", "text/html"),
        ("Диплом.bin", "application/force-download"),
        ("скан.jpg", "application/pdf"),
        (None, None),
    ],
)
async def test_the_contents_decide_what_a_file_is(
    documents: Documents, hospital: Hospital, name: str | None, kind: str | None
) -> None:
    """An odd media type or a name without its ending keeps no good file out."""
    result = await documents.give(
        await hospital.person(), sent(s.pdf(), name, kind), Category.DIPLOMA
    )
    assert result.document is not None
    assert result.document.version.media_type == MediaType.PDF
    assert result.document.version.file_name.endswith(".pdf")


async def test_a_wrong_file_is_refused_by_its_first_pieces(
    documents: Documents, hospital: Hospital
) -> None:
    """No more is read of it than tells what it is."""
    taken = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"PK\x03\x04" + bytes(508)

    incoming = Incoming(pieces(), "a.zip", "application/zip", 5_000_000)
    result = await documents.give(await hospital.person(), incoming, Category.DIPLOMA)
    assert [finding.code for finding in result.findings] == [Code.WRONG_TYPE]
    assert taken * 512 == START


async def test_client_that_goes_away_leaves_nothing(
    documents: Documents, hospital: Hospital, objects: Objects
) -> None:
    """A connection cut in the middle stores no object and no row."""
    before, doctor = await kept(objects), await hospital.person()

    async def broken() -> AsyncIterator[bytes]:
        yield s.pdf()[:100]
        raise ConnectionError

    incoming = Incoming(broken(), "a.pdf", "application/pdf", 5000)
    with pytest.raises(ConnectionError):
        await documents.give(doctor, incoming, Category.DIPLOMA)
    assert await kept(objects) == before


async def test_same_file_is_not_kept_twice(
    documents: Documents, hospital: Hospital, objects: Objects
) -> None:
    """Giving the same file again answers with the document that exists (Q10)."""
    doctor, content = await hospital.person(), s.born_digital("Once")
    first = await given(documents, doctor, sent(content))
    before = await kept(objects)
    again = await given(documents, doctor, sent(content, "copy.pdf"))
    assert again.known
    assert again.document is not None
    assert first.document is not None
    assert again.document.id == first.document.id
    assert await kept(objects) == before
    colleague = await given(documents, await hospital.person(), sent(content))
    assert not colleague.known


async def test_same_file_at_once_is_one_document(
    documents: Documents, hospital: Hospital, objects: Objects
) -> None:
    """Of several uploads of one file at the same moment one is kept; the others answer with it."""
    doctor = await hospital.person()
    for _ in range(4):
        content, before = s.born_digital(uuid4().hex), await kept(objects)
        results = await asyncio.gather(
            *(given(documents, doctor, sent(content, f"{n}.pdf")) for n in range(4))
        )
        assert len({one.document.id for one in results if one.document}) == 1
        assert [one.known for one in results].count(False) == 1
        assert len(await kept(objects) - before) == 1


async def test_new_version_replaces_and_old_stays_readable(
    documents: Documents, hospital: Hospital
) -> None:
    """«Обновить» makes version 2 the present one; version 1 can still be opened (Q2)."""
    doctor, old, new = await hospital.person(), s.born_digital("Old"), s.born_digital("New")
    first = (await given(documents, doctor, sent(old))).document
    assert first is not None
    bad = await documents.replace(doctor, first.id, sent(s.pdf(pages=0)))
    assert not bad.good
    second = (await documents.replace(doctor, first.id, sent(new, "new.pdf"))).document
    assert second is not None
    assert (second.id, second.version.number) == (first.id, 2)
    whole = await documents.one(doctor, first.id)
    assert whole.version.id == second.version.id
    assert [version.id for version in whole.older] == [first.version.id]
    assert whole.older[0].replaced_at is not None
    assert await content_of(await documents.open(doctor, first.version.id)) == old
    assert [view.version.id for view in await documents.mine(doctor)] == [second.version.id]


async def test_two_replacements_at_once_leave_one_present_version(
    documents: Documents, hospital: Hospital
) -> None:
    """However replacements race, numbers follow one another and one file is present."""
    doctor = await hospital.person()
    first = (await given(documents, doctor, sent(s.born_digital("0")))).document
    assert first is not None
    await asyncio.gather(
        *(documents.replace(doctor, first.id, sent(s.born_digital(str(n)))) for n in range(1, 5))
    )
    whole = await documents.one(doctor, first.id)
    assert [whole.version.number, *(v.number for v in whole.older)] == [5, 4, 3, 2, 1]
    assert whole.version.replaced_at is None
    assert all(version.replaced_at for version in whole.older)


async def test_list_by_category_and_in_pages(documents: Documents, hospital: Hospital) -> None:
    """My documents come newest first, by category, and page by page."""
    doctor = await hospital.person()
    for number in range(5):
        category = Category.COURSE if number % 2 else Category.DIPLOMA
        await documents.give(doctor, sent(s.born_digital(f"№ {number}")), category)
    assert len(await documents.mine(doctor, Category.COURSE)) == 2
    page = await documents.mine(doctor, limit=2)
    rest = await documents.mine(doctor, before=page[-1].id)
    assert len({view.id for view in [*page, *rest]}) == 5
    assert await documents.mine(await hospital.person()) == []


async def test_put_away_leaves_the_list_but_stays_where_cited(
    documents: Documents, hospital: Hospital
) -> None:
    """A document put away cannot be chosen or replaced, but who reads the case still opens it."""
    doctor, reviewer = await hospital.person(), await hospital.person(Role.HR_REVIEWER, "hr")
    document = (await given(documents, doctor, sent(s.born_digital("Away")))).document
    assert document is not None
    await hospital.case_citing(doctor, document.version.id)
    await documents.put_away(doctor, document.id)
    assert await documents.mine(doctor) == []
    with pytest.raises(Refusal):
        await documents.replace(doctor, document.id, sent(s.pdf()))
    assert await content_of(await documents.open(reviewer, document.version.id))


async def test_only_those_entitled_open_a_file(
    documents: Documents, hospital: Hospital, database: Database
) -> None:
    """Owner and reviewers of a case that cites it, nobody else; views are recorded (Q9, I9)."""
    doctor = await hospital.person()
    reviewer = await hospital.person(Role.HR_REVIEWER, "hr")
    head = await hospital.person(Role.UNIT_HEAD)
    others = [
        await hospital.person(),
        await hospital.person(Role.HR_REVIEWER, "another hr"),
        await hospital.person(Role.UNIT_HEAD, "another unit"),
        await hospital.person(Role.ADMINISTRATOR),
    ]
    document = (await given(documents, doctor, sent(s.born_digital("Mine")))).document
    assert document is not None
    version_id = document.version.id
    for stranger in (reviewer, head, *others):
        with pytest.raises(Refusal) as refused:
            await documents.open(stranger, version_id)
        assert refused.value.status == 404
    await hospital.case_citing(doctor, version_id)
    for reader in (reviewer, head):
        await content_of(await documents.open(reader, version_id))
        await content_of(await documents.page(reader, version_id, 1))
    for stranger in others:
        for opening in (
            documents.open(stranger, version_id),
            documents.page(stranger, version_id, 1),
        ):
            with pytest.raises(Refusal) as refused:
                await opening
            assert refused.value.status == 404
    async with database.work() as session:
        seen = await session.exec(
            select(RecordView.by_person, func.count())
            .where(RecordView.subject == version_id)
            .group_by(col(RecordView.by_person))
        )
        assert dict(seen.all()) == {reviewer.person_id: 2, head.person_id: 2}


async def test_new_version_is_not_open_to_reviewers_of_the_old(
    documents: Documents, hospital: Hospital
) -> None:
    """A case cites one file; what the person gave later is not shown by it."""
    doctor, reviewer = await hospital.person(), await hospital.person(Role.HR_REVIEWER, "hr")
    document = (await given(documents, doctor, sent(s.born_digital("Cited")))).document
    assert document is not None
    await hospital.case_citing(doctor, document.version.id)
    newer = (await documents.replace(doctor, document.id, sent(s.born_digital("Later")))).document
    assert newer is not None
    await content_of(await documents.open(reviewer, document.version.id))
    with pytest.raises(Refusal):
        await documents.open(reviewer, newer.version.id)


async def test_token_without_the_scope_opens_nothing(
    documents: Documents, hospital: Hospital
) -> None:
    """A personal access token limited to reviews neither gives nor opens its owner's documents."""
    doctor = await hospital.person(Role.HR_REVIEWER)
    document = (await given(documents, doctor, sent(s.born_digital("Scope")))).document
    assert document is not None
    token = Actor(
        doctor.person_id, doctor.name, doctor.unit_id, doctor.grants, frozenset({Permission.REVIEW})
    )
    for doing in (
        documents.open(token, document.version.id),
        documents.mine(token),
        documents.give(token, sent(s.pdf()), Category.DIPLOMA),
    ):
        with pytest.raises(Refusal):
            await doing


async def test_others_see_a_photograph_made_anew(documents: Documents, hospital: Hospital) -> None:
    """The original of a JPEG stays sealed; a reviewer gets a picture without its metadata."""
    doctor, reviewer = await hospital.person(), await hospital.person(Role.HR_REVIEWER, "hr")
    content = s.commented(s.photo(), b"<script>hidden</script>")
    result = await given(documents, doctor, sent(content, "IMG_1.JPG", "image/jpeg"))
    assert result.document is not None
    version = result.document.version
    await hospital.case_citing(doctor, version.id)
    assert await content_of(await documents.open(doctor, version.id)) == content
    shown = await documents.open(reviewer, version.id)
    assert shown.media_type == "image/jpeg"
    seen = await content_of(shown)
    assert seen.startswith(b"\xff\xd8\xff")
    assert b"hidden" not in seen
    assert b"taken at home" not in seen


async def test_page_is_drawn_once(
    documents: Documents, hospital: Hospital, database: Database
) -> None:
    """A page's picture is made when it is first asked for, and kept; others are not there."""
    doctor = await hospital.person()
    document = (await given(documents, doctor, sent(s.born_digital("Shown")))).document
    assert document is not None
    openings = await asyncio.gather(
        *(documents.page(doctor, document.version.id, 1) for _ in range(3))
    )
    pictures = [await content_of(opening) for opening in openings]
    assert pictures[0].startswith(b"\x89PNG")
    assert pictures[1:] == pictures[:1] * 2
    async with database.work() as session:
        drawn = await session.exec(
            select(DocumentImage).where(DocumentImage.version_id == document.version.id)
        )
        assert len(drawn.all()) == 1
    for page in (0, 2):
        with pytest.raises(Refusal) as refused:
            await documents.page(doctor, document.version.id, page)
        assert refused.value.status == 404


async def test_registration_asks_for_sharp_scans(documents: Documents, hospital: Hospital) -> None:
    """299 dpi are refused where 300 are required, and taken where nothing is asked (I1)."""
    doctor, blurred = await hospital.person(), s.scan(299)
    refused = await documents.give(doctor, sent(blurred), Category.IDENTITY)
    assert [finding.code for finding in refused.findings] == [Code.LOW_RESOLUTION]
    assert (await documents.give(doctor, sent(s.scan(300)), Category.IDENTITY)).good
    assert (await documents.give(doctor, sent(s.born_digital()), Category.IDENTITY)).good
    assert (await documents.give(doctor, sent(blurred), Category.DIPLOMA)).good


async def test_store_that_is_down_is_a_refusal_to_try_again(
    database: Database, inspection: Inspection, hospital: Hospital, settings: Settings
) -> None:
    """Without the store nothing is accepted: 503, and no row."""
    nowhere = Objects(settings.model_copy(update={"s3_endpoint": "http://127.0.0.1:9"}))
    doctor = await hospital.person()
    alone = Documents(database, Files(nowhere, inspection))
    try:
        with pytest.raises(Refusal) as refused:
            await alone.give(doctor, sent(s.pdf()), Category.DIPLOMA)
        assert refused.value.status == 503
    finally:
        await nowhere.close()
    assert await alone.mine(doctor) == []


async def test_sweep_removes_strays_and_nothing_else(
    documents: Documents, hospital: Hospital, database: Database, objects: Objects
) -> None:
    """Old objects without a row go, with their pictures; named and young ones stay."""
    doctor = await hospital.person()
    document = (await given(documents, doctor, sent(s.born_digital("Stays")))).document
    assert document is not None
    await content_of(await documents.page(doctor, document.version.id, 1))
    stray = f"{FOLDER}/{uuid4().hex}"
    for name in ("original", "page-1"):
        await objects.put(f"{stray}/{name}", b"x", 1, "application/pdf")
    before = await kept(objects)
    assert await sweep(database, objects, clock.now()) == 0
    assert await kept(objects) == before
    later = clock.now() + timedelta(days=31)
    assert await sweep(database, objects, later) >= 2
    left = await kept(objects)
    assert not any(key.startswith(stray) for key in left)
    assert await content_of(await documents.open(doctor, document.version.id))
    assert await content_of(await documents.page(doctor, document.version.id, 1))


async def test_names_and_titles_are_encrypted(
    documents: Documents, hospital: Hospital, database: Database
) -> None:
    """Title and file name stand encrypted in the database (I10)."""
    doctor = await hospital.person()
    await documents.give(
        doctor, sent(s.born_digital("E"), "planted.pdf"), Category.OTHER, "planted"
    )
    async with database.work() as session:
        connection = await session.connection()
        rows = await connection.exec_driver_sql(
            "select title, file_name from document join document_version v on v.document_id ="
            " document.id where owner_id = %s",
            (doctor.person_id,),
        )
        stored = [bytes(column) for column in rows.one()]
    assert len(stored) == 2
    assert not any(b"planted" in column for column in stored)


async def test_fast_upload_goes_on_in_few_pieces_and_a_slow_one_without_waiting(
    inspection: Inspection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces are joined up to 256 KiB; from a slow line each goes on, or the store hangs up."""
    pieces = [bytes([number]) * 65_536 for number in range(10)]

    async def coming() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    for held, sizes in ((1.0, [262_144, 262_144, 131_072]), (-1.0, [65_536] * 10)):
        monkeypatch.setattr(intake, "_HELD_SECONDS", held)
        with inspection.intake() as file:
            spool = intake._Spool(file, 1_000_000)
            passed = [piece async for piece in spool.through(coming())]
            again = [piece async for piece in spool.again()]
        assert [len(piece) for piece in passed] == sizes
        assert b"".join(passed) == b"".join(again) == b"".join(pieces)
