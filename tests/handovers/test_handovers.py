"""An authority asks, an officer releases or refuses, the person sees what went where (Q5)."""

import asyncio
import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from clients.objects import Objects
from crypto.certificates import as_pem
from crypto.cms_encryption import decrypt
from crypto.cms_signatures import CmsSigner, check_signed
from crypto.key_ring import key_ring
from crypto.signing_keys import new_seal_signer
from models.messages import WAKE_UP
from models.tables.documents import DocumentVersion
from models.tables.handovers import Handover, HandoverFile
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from models.tables.people import Person, RoleGrant
from rules.access import Actor, Role
from rules.clock import now
from rules.credentials.handovers import KEPT, REMINDED_AFTER, TERM, HandoverState, next_look
from rules.journal.audit import AuditQuery
from rules.refusals import Refusal
from services.handovers import authorities, looking, seen
from services.handovers.asking import AuthorityActs, HandoverQuestion
from services.handovers.authorities import CertificateError, KnownAuthority
from services.handovers.deciding import HandoverDecisions
from services.journal import audit_log
from services.seal import FileSeal
from tests.credentials.conftest import Keeping
from tests.shared.office import Office

SNILS = "112-233-445 95"
COPY = b"%PDF-1.7 the copy of an accreditation"


@dataclass
class Line:
    """An authority with its key, an officer, and the person who is asked about."""

    keeping: Keeping
    objects: Objects
    holder: CmsSigner
    seal: FileSeal
    authority: KnownAuthority
    officer: Actor
    asking: AuthorityActs
    deciding: HandoverDecisions

    @property
    def office(self) -> Office:
        """The office of these people."""
        return self.keeping.office

    async def ask(self, reference: str = "", **changes: Any) -> UUID:
        """Ask for the accreditation of the clinician."""
        asked = HandoverQuestion(
            reference or uuid4().hex,
            **{
                "snils": SNILS,
                "purpose": "Проверка допуска",
                "ground": "Запрос Минздрава № 7",
                "categories": ("accreditation",),
                **changes,
            },
        )
        return (await self.asking.ask(self.authority, asked)).id

    async def look(self, handover_id: UUID) -> Any:
        """What the workflow does when it is woken."""
        return await looking.look(
            self.office.database, self.objects, self.seal, "Больница", handover_id
        )

    async def row(self, handover_id: UUID) -> Handover:
        """The row as it stands."""
        async with self.office.database.work() as session:
            return await session.get_one(Handover, handover_id)

    async def later(self, handover_id: UUID, **values: Any) -> None:
        """Let time pass: set moments of the row."""
        async with self.office.database.work() as session:
            await session.exec(
                update(Handover).where(col(Handover.id) == handover_id).values(**values)
            )

    async def kinds(self, handover_id: UUID) -> list[str]:
        """What the journal says of it, in order."""
        async with self.office.database.work() as session:
            found = await session.exec(
                select(JournalEntry.kind)
                .where(col(JournalEntry.facts)["handover"].astext == str(handover_id))
                .order_by(col(JournalEntry.position))
            )
            return list(found.all())

    async def notices(self, person_id: UUID, kind: str) -> int:
        """How often somebody was told in the cabinet."""
        async with self.office.database.work() as session:
            found = await session.exec(
                select(func.count()).where(
                    Notice.person_id == person_id, Notice.kind == kind, Notice.channel == "cabinet"
                )
            )
            return found.one()


@pytest.fixture
async def line(keeping: Keeping, objects: Objects) -> Line:
    """An authority, an officer of the whole institution, and a clinician with a SNILS."""
    office = keeping.office
    holder = new_seal_signer("Минздрав", "Министерство")
    async with office.database.work() as session:
        await session.exec(update(Person).values(snils=None, snils_blind=None))
        person = await session.get_one(Person, office.clinician.person_id)
        person.snils, person.snils_blind = SNILS, key_ring().blind(SNILS)
        session.add(person)
        pem = as_pem(holder.certificate).encode()
        id_, secret = await authorities.add(session, "Министерство", pem)

    async def wake(row_id: UUID, *, signal: str = WAKE_UP, anew: bool = False) -> bool:
        del row_id, signal, anew
        return True

    database = office.database
    asking = AuthorityActs(database, objects, wake)
    return Line(
        keeping,
        objects,
        holder,
        FileSeal(new_seal_signer("Печать", "Больница")),
        await asking.recognise(str(id_), secret, "192.0.2.7"),
        await office.person("Кадрова Инна", Role.HR_HEAD, office.institution),
        asking,
        HandoverDecisions(database, wake),
    )


async def stored(line: Line) -> UUID:
    """An accreditation of the clinician, whose copy is in the object store."""
    credential = await line.keeping.add(number=uuid4().hex[:12])
    one = await line.keeping.one(credential)
    async with line.office.database.work() as session:
        file = await session.get_one(DocumentVersion, one.current.files[0].id)
        file.sha256, file.size = hashlib.sha256(COPY).hexdigest(), len(COPY)
        session.add(file)
        assert file.object_key is not None
        await line.objects.put(file.object_key, COPY, len(COPY), "application/pdf")
    return credential


async def test_only_the_authority_reads_what_was_released(line: Line) -> None:
    """A signed ZIP in an envelope for its certificate; the person sees what went where."""
    credential = await stored(line)
    handover_id = await line.ask()
    await line.deciding.release(line.officer, handover_id, [credential])
    await line.deciding.release(line.officer, handover_id, [credential])
    ends_at = await line.look(handover_id)
    answer, opened = await line.asking.fetch(line.authority, handover_id)
    package = b"".join([chunk async for chunk in opened.chunks()])
    assert hashlib.sha256(package).hexdigest() == answer.package_sha256
    assert COPY not in package
    assert ends_at == answer.ends_at
    signed = check_signed(decrypt(package, [line.holder]), [line.seal.certificate])
    with zipfile.ZipFile(io.BytesIO(signed.content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        (file,) = manifest["files"]
        assert archive.read(file["file"]) == COPY
    assert manifest["person"] == {"name": line.office.clinician.name, "snils": SNILS}
    assert (file["category"], file["data"]["specialty"]) == ("accreditation", "Кардиология")
    async with line.office.database.work() as session:
        (mine,) = await seen.own(session, line.office.clinician)
    assert (mine.authority, mine.ground) == ("Министерство", "Запрос Минздрава № 7")
    assert len(mine.released) == 1
    assert mine.fetched_at is not None
    assert await line.kinds(handover_id) == [
        "handover.asked",
        "handover.released",
        "handover.ready",
        "handover.fetched",
    ]
    clinician = line.office.clinician.person_id
    assert await line.notices(clinician, "handover_ready") == 1
    assert await line.notices(line.officer.person_id, "handover_asked") == 1


async def test_what_was_released_stands_though_the_file_is_renewed(line: Line) -> None:
    """The files of the version that stood when the officer decided; a later one is not given."""
    credential = await stored(line)
    before = (await line.keeping.one(credential)).current.files[0].id
    handover_id = await line.ask()
    await line.deciding.release(line.officer, handover_id, [credential])
    await line.keeping.acts.withdraw(line.office.clinician, credential, "ошибка при вводе")
    await line.look(handover_id)
    async with line.office.database.work() as session:
        found = await session.exec(
            select(HandoverFile.document_version_id).where(HandoverFile.handover_id == handover_id)
        )
        assert found.all() == [before]
    assert (await line.row(handover_id)).state == HandoverState.READY


@pytest.mark.parametrize("lost", [False, True])
async def test_no_package_of_a_file_that_is_not_what_it_was(line: Line, lost: bool) -> None:
    """It is tried once: the officers are told, nothing counts as handed over, they decide anew."""
    credential = await stored(line)
    handover_id = await line.ask()
    await line.deciding.release(line.officer, handover_id, [credential])
    one = await line.keeping.one(credential)
    async with line.office.database.work() as session:
        file = await session.get_one(DocumentVersion, one.current.files[0].id)
    assert file.object_key is not None
    if lost:
        await line.objects.remove(file.object_key)
    else:
        await line.objects.put(file.object_key, b"another", 7, "application/pdf")
    for _ in range(2):
        again = await line.look(handover_id)
        assert again is not None
        assert again > now() + timedelta(days=6)
    assert (await line.row(handover_id)).state == HandoverState.BROKEN
    assert await line.notices(line.officer.person_id, "handover_broken") == 1
    assert await line.notices(line.office.clinician.person_id, "handover_ready") == 0
    async with line.office.database.work() as session:
        assert (await seen.one(session, line.officer, handover_id)).released == ()
        waits = await seen.waiting(session, line.officer, everything=False)
        assert handover_id in {one.id for one in waits}
    await line.deciding.release(line.officer, handover_id, [await stored(line)])
    await line.look(handover_id)
    assert (await line.row(handover_id)).state == HandoverState.READY
    assert await line.kinds(handover_id) == [
        "handover.asked",
        "handover.released",
        "handover.broken",
        "handover.released",
        "handover.ready",
    ]


async def test_nothing_goes_to_an_authority_that_has_ended(line: Line) -> None:
    """Neither what waits nor what was released; nobody is reminded of it any more."""
    credential = await stored(line)
    waits, released = await line.ask(), await line.ask()
    await line.deciding.release(line.officer, released, [credential])
    async with line.office.database.work() as session:
        assert await authorities.end(session, line.authority.id)
    with pytest.raises(Refusal, match="authority_ended"):
        await line.deciding.release(line.officer, waits, [credential])
    for one in (waits, released):
        due = (await line.row(one)).looks_at
        assert due is not None
        assert due <= now()
        assert await line.look(one) is None
        row = await line.row(one)
        assert (row.state, row.looks_at, row.package_key) == (HandoverState.REFUSED, None, None)
    assert await line.notices(line.office.clinician.person_id, "handover_ready") == 0
    assert await line.notices(line.officer.person_id, "handover_waits") == 0


async def test_nothing_is_encrypted_to_a_certificate_that_is_over(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was in force when the authority was added; now its key may be anybody's."""
    handover_id = await line.ask()
    await line.deciding.release(line.officer, handover_id, [await stored(line)])
    over = line.holder.certificate.not_valid_after_utc + timedelta(seconds=1)
    monkeypatch.setattr("services.handovers.packing.present", lambda: over)
    await line.look(handover_id)
    assert (await line.row(handover_id)).state == HandoverState.BROKEN


async def test_a_package_that_did_not_go_out_does_not_count_as_fetched(line: Line) -> None:
    """The store has to give it first; otherwise nobody would learn that it was never fetched."""
    handover_id = await line.ask()
    await line.deciding.release(line.officer, handover_id, [await stored(line)])
    await line.look(handover_id)
    key = (await line.row(handover_id)).package_key
    assert key is not None
    await line.objects.remove(key)
    with pytest.raises(Refusal, match="file_missing"):
        await line.asking.fetch(line.authority, handover_id)
    assert (await line.row(handover_id)).fetched_at is None


async def test_the_person_learns_who_looked_at_the_request(line: Line) -> None:
    """Once documents have gone out. Before, one's own log says no more than the page does."""
    handover_id, hour = await line.ask(), timedelta(hours=1)
    query = AuditQuery(now() - hour, now() + hour, about=line.office.clinician.person_id)

    async def told() -> set[UUID | None]:
        async with line.office.database.work() as session:
            lines = (await audit_log.page(session, query)).lines
        return {one.by for one in lines if one.subject == handover_id}

    async with line.office.database.work() as session:
        await seen.one(session, line.officer, handover_id)
    assert await told() == set()
    await line.deciding.release(line.officer, handover_id, [await stored(line)])
    await line.look(handover_id)
    assert await told() == {line.officer.person_id}


async def test_the_same_reference_asks_once(line: Line) -> None:
    """Twenty at once are one request; another question under it is refused."""
    reference = uuid4().hex
    asked = await asyncio.gather(*[line.ask(reference) for _ in range(20)])
    assert len(set(asked)) == 1
    for changes in ({"purpose": "Другая цель"}, {"snils": "123-456-789 64"}):
        with pytest.raises(Refusal) as refused:
            await line.ask(reference, **changes)
        assert refused.value.code == "reference_reused"


async def test_nobody_learns_a_snils_by_trying_them_all(line: Line) -> None:
    """What tells one question from another is keyed: a plain digest could be tried."""
    question = HandoverQuestion(uuid4().hex, SNILS, "Проверка допуска", "Запрос", ())
    made = await line.row((await line.asking.ask(line.authority, question)).id)
    body = rfc8785.dumps(asdict(question))
    assert key_ring().is_blind(made.body_hash, body.decode())
    assert hashlib.sha256(body).hexdigest() not in made.body_hash


async def test_a_stranger_is_refused_at_once(line: Line) -> None:
    """Nobody here has this SNILS: no officer is bothered."""
    handover_id = await line.ask(snils="123-456-789 64")
    answer = await line.asking.look(line.authority, handover_id)
    assert (answer.state, answer.reason) == (
        HandoverState.REFUSED,
        "Человека с таким СНИЛС среди сотрудников нет.",
    )
    with pytest.raises(Refusal) as refused:
        await line.deciding.refuse(line.officer, handover_id, "всё равно")
    assert refused.value.status == 404


async def test_one_decision_counts(line: Line) -> None:
    """Release and refusal at once: one of them; the other is told so."""
    credential = await stored(line)
    handover_id = await line.ask()
    done = await asyncio.gather(
        line.deciding.release(line.officer, handover_id, [credential]),
        line.deciding.refuse(line.officer, handover_id, "нет основания"),
        return_exceptions=True,
    )
    refused = [one for one in done if isinstance(one, Refusal)]
    assert [one.code for one in refused] == ["changed_meanwhile"]
    assert (await line.row(handover_id)).decided_by == line.officer.person_id


async def test_who_may_not_decide(line: Line) -> None:
    """Not the person asked about, not somebody of another unit, not one without the right."""
    handover_id = await line.ask()
    office = line.office
    elsewhere = await office.person("Чужая Зоя", Role.HR_HEAD, office.hr)
    reader = await office.person("Читаева Яна", Role.HR_REVIEWER, office.institution)
    for actor, status in ((elsewhere, 404), (reader, 403), (office.clinician, 403)):
        with pytest.raises(Refusal) as refused:
            await line.deciding.refuse(actor, handover_id, "нет основания")
        assert refused.value.status == status
    async with office.database.work() as session:
        assert await seen.waiting(session, elsewhere, everything=True) == []
        waits = await seen.waiting(session, line.officer, everything=False)
        assert handover_id in {one.id for one in waits}
        person = await session.get_one(Person, line.officer.person_id)
        person.snils, person.snils_blind = "123-456-789 64", key_ring().blind("123-456-789 64")
        session.add(person)
    own = await line.ask(snils="123-456-789 64")
    with pytest.raises(Refusal) as refused:
        await line.deciding.refuse(line.officer, own, "нет основания")
    assert refused.value.status == 404
    with pytest.raises(IntegrityError):
        await line.later(own, decided_by=line.officer.person_id)


async def test_only_what_is_theirs_and_stands_is_released(line: Line) -> None:
    """A colleague's credential, a withdrawn one, none at all: nothing goes out."""
    handover_id = await line.ask()
    gone = await stored(line)
    await line.keeping.acts.withdraw(line.office.clinician, gone, "ошибка при вводе")
    others = await line.keeping.add(actor=line.office.reviewer, number=uuid4().hex[:12])
    for chosen in ([], [gone], [others], [await stored(line), others]):
        with pytest.raises(Refusal) as refused:
            await line.deciding.release(line.officer, handover_id, chosen)
        assert refused.value.code == "nothing_chosen"
    assert (await line.row(handover_id)).state == HandoverState.ASKED


async def test_officers_are_reminded_and_packages_end(line: Line) -> None:
    """Nobody forgets a request, and no package stays for ever."""
    credential = await stored(line)
    handover_id = await line.ask()
    for times in (1, 2):
        await line.later(handover_id, looks_at=now())
        assert await line.look(handover_id) is not None
        assert await line.notices(line.officer.person_id, "handover_waits") == times
    await line.deciding.release(line.officer, handover_id, [credential])
    await line.look(handover_id)
    key = (await line.row(handover_id)).package_key
    assert key is not None
    await line.later(handover_id, looks_at=now() - timedelta(seconds=1))
    assert await line.look(handover_id) is None
    row = await line.row(handover_id)
    assert (row.state, row.package_key, row.looks_at) == (HandoverState.OVER, None, None)
    assert [one.key async for one in line.objects.list(key)] == []
    assert await line.notices(line.officer.person_id, "handover_not_fetched") == 1
    with pytest.raises(Refusal) as refused:
        await line.asking.fetch(line.authority, handover_id)
    assert refused.value.code == "not_ready"


def test_reminders_and_terms() -> None:
    """After 7, 12 and 14 days, then once a week; a package lives 30 days."""
    asked = now()
    moments = [next_look(asked, times) - asked for times in range(5)]
    assert moments == [*REMINDED_AFTER, TERM + timedelta(days=7), TERM + timedelta(days=14)]
    assert timedelta(days=30) == KEPT


def of_no_use() -> bytes:
    """A certificate of a key that signs, but to which nothing can be encrypted."""
    key, name = Ed25519PrivateKey.generate(), x509.Name([])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now() - timedelta(1)).not_valid_after(now() + timedelta(1))
    return as_pem(made.sign(key, None)).encode()


async def test_secrets_of_authorities(line: Line) -> None:
    """A wrong one is refused, also that of another; who has ended is nobody; guessing is slowed."""
    database = line.office.database
    pem = as_pem(line.holder.certificate).encode()
    async with database.work() as session:
        other, secret = await authorities.add(session, "Фонд", pem)
        for certificate in (b"no certificate", of_no_use()):
            with pytest.raises(CertificateError):
                await authorities.add(session, "Фонд", certificate)
    address = uuid4().hex
    assert await line.asking.recognise(str(other), secret, address)
    for name, given in ((str(line.authority.id), secret), (str(other), secret + "x"), ("", "")):
        with pytest.raises(Refusal) as refused:
            await line.asking.recognise(name, given, address)
        assert refused.value.status == 401
    handover_id = await line.ask()
    with pytest.raises(Refusal) as refused:
        await line.asking.look(KnownAuthority(other, "Фонд"), handover_id)
    assert refused.value.status == 404
    async with database.work() as session:
        assert await authorities.end(session, other)
        assert not await authorities.end(session, other)
    statuses = set()
    for _ in range(25):
        with pytest.raises(Refusal) as refused:
            await line.asking.recognise(str(other), secret, address)
        statuses.add(refused.value.status)
    assert statuses == {401, 429}


async def test_where_nobody_may_decide_administrators_are_told(line: Line) -> None:
    """A request in a unit without officers waits for nobody untold, at its reminders neither."""
    office = line.office
    admin = await office.person("Сетевая Анна", Role.ADMINISTRATOR, office.institution)
    async with office.database.work() as session:
        await session.exec(
            update(RoleGrant)
            .where(col(RoleGrant.role) == Role.HR_HEAD.value, col(RoleGrant.valid_until).is_(None))
            .values(valid_until=now())
        )
    handover_id = await line.ask()
    assert await line.notices(admin.person_id, "handover_nobody") == 1
    assert await line.notices(line.officer.person_id, "handover_asked") == 0
    await line.later(handover_id, looks_at=now())
    await line.look(handover_id)
    assert await line.notices(admin.person_id, "handover_nobody") == 2
