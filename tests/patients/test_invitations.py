"""An invited patient reads who looked, when and why, and nothing else (W2, trap 19)."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import select

from models.tables.patients import PatientEntry, PatientInvitation
from rules.access import Role
from rules.accounts import Limit
from rules.clock import now
from rules.refusals import Refusal
from services.patients import invitations, openings, seen, ways
from services.patients.invitations import PatientInvitations
from tests.patients.people import codes, fresh_snils, identity, patient
from tests.shared.cabinet import Site, account_of, confirmed, let_in, token_on
from tests.shared.office import Office
from tests.shared.waiting import PATIENCE

HERE = "192.0.2.7"


async def test_the_link_alone_opens_nothing(office: Office) -> None:
    """A code to the known number at each entry, once; link and session belong to one patient."""
    registrar = await office.person("Лаптева Ирина", Role.REGISTRAR, office.institution)
    phone = f"+7916{uuid4().int % 10**7:07}"
    key = await patient(office.database, office.ward, identity(snils=fresh_snils(), phone=phone))
    other = await patient(office.database, office.ward)
    acts, database = PatientInvitations(office.database), office.database
    with pytest.raises(Refusal, match="no_phone"):
        await acts.invite(registrar, other)
    for nobody in (office.clinician, office.head):
        with pytest.raises(Refusal, match="forbidden"):
            await acts.invite(nobody, key)
    secret = await acts.invite(registrar, key)
    with pytest.raises(Refusal, match="wrong_code"):
        await invitations.enter(database, secret, "000000", HERE)
    await invitations.send_code(database, secret, HERE)
    [code] = await codes(database, phone)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    with pytest.raises(Refusal, match="wrong_code"):
        await invitations.enter(database, secret, wrong, HERE)
    token, until = await invitations.enter(database, secret, code, HERE)
    assert timedelta(minutes=29) < until - now() <= invitations.ENTRY_LIVES
    with pytest.raises(Refusal, match="wrong_code"):
        await invitations.enter(database, secret, code, HERE)
    async with database.work() as session:
        await openings.open_at_once(session, office.clinician, key, "Без сознания", now())
        await ways.look(session, office.clinician, key, now())
        await seen.identity_page(session, registrar, key, now())
    async with database.work() as session:
        who = await invitations.entered(session, token, now())
        assert (who.patient_id, who.name) == (key, "Наталья Петровна")
        looked = await seen.who_looked(session, who.patient_id)
        assert [(one.name, one.way, one.words) for one in looked] == [
            (registrar.name, "identity", ""),
            (office.clinician.name, "emergency", "Без сознания"),
        ]
        assert not await seen.who_looked(session, other)
        for nothing in (secret, "", uuid4().hex):
            with pytest.raises(Refusal, match="not_found"):
                await invitations.entered(session, nothing, now())
        with pytest.raises(Refusal, match="not_found"):
            await invitations.entered(session, token, until)
        rows = [*(await session.exec(select(PatientEntry))).all()]
        rows += (await session.exec(select(PatientInvitation))).all()  # type: ignore[arg-type]
        stored = str([one.model_dump() for one in rows])
    assert not [one for one in (secret, token, code) if one in stored], "only hashes are kept"
    await acts.revoke(registrar, key)
    async with database.work() as session:
        with pytest.raises(Refusal, match="not_found"):
            await invitations.entered(session, token, now())


async def test_what_is_wrong_is_answered_alike_and_ends(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No link is told from another by its answer; tries, codes and links are bounded."""
    registrar = await office.person("Лаптева Ирина", Role.REGISTRAR, office.institution)
    phone = f"+7917{uuid4().int % 10**7:07}"
    key = await patient(office.database, office.ward, identity(snils=fresh_snils(), phone=phone))
    acts, database = PatientInvitations(office.database), office.database
    earlier = await acts.invite(registrar, key)
    secret = await acts.invite(registrar, key)
    for dead in (earlier, uuid4().hex):
        await invitations.send_code(database, dead, HERE)
        with pytest.raises(Refusal, match="wrong_code"):
            await invitations.enter(database, dead, "123456", HERE)
    assert await codes(database, phone) == []
    await invitations.send_code(database, secret, HERE)
    [code] = await codes(database, phone)
    for _ in range(invitations.TRIES):
        with pytest.raises(Refusal, match="wrong_code"):
            await invitations.enter(database, secret, "x", HERE)
    with pytest.raises(Refusal, match="wrong_code"):
        await invitations.enter(database, secret, code, HERE)
    await invitations.send_code(database, secret, HERE)
    fresh = (await codes(database, phone))[0]
    async with database.work() as session:
        await session.exec(update(PatientEntry).values(ends_at=now()))
    with pytest.raises(Refusal, match="wrong_code"):
        await invitations.enter(database, secret, fresh, HERE)
    monkeypatch.setattr(invitations, "CODES", Limit("patient_code_few", 1, timedelta(hours=1)))
    await invitations.send_code(database, secret, HERE)
    with pytest.raises(Refusal, match="too_often"):
        await invitations.send_code(database, secret, HERE)
    monkeypatch.setattr(invitations, "WRONG", Limit("patient_wrong_few", 1, timedelta(hours=1)))
    with pytest.raises(Refusal, match="wrong_code"):
        await invitations.enter(database, secret, "x", HERE)
    with pytest.raises(Refusal, match="too_often"):
        await invitations.enter(database, secret, (await codes(database, phone))[0], HERE)


async def test_a_program_makes_a_link_and_ends_it(site: Site, office: Office) -> None:
    """As the page does: the link is told once, whether there is one stands in the identity."""
    registrar = await office.person("Лаптева Ирина", Role.REGISTRAR, office.institution)
    await account_of(office, registrar)
    await confirmed(office, registrar)
    phone = f"+7918{uuid4().int % 10**7:07}"
    key = await patient(office.database, office.ward, identity(snils=fresh_snils(), phone=phone))
    here = f"/api/v1/patients/{key}"
    async with httpx.AsyncClient(base_url=site.url, timeout=PATIENCE) as program:
        await let_in(program, office, registrar)

        async def standing() -> object:
            return (await program.get(f"{here}/identity")).json()["invitation"]

        assert await standing() is None
        program.headers["X-CSRF-Token"] = await token_on(program, "/")
        made = await program.post(f"{here}/invitation")
        assert made.status_code == 201
        secret = made.json()["url"].rsplit("/", 1)[1]
        await invitations.send_code(office.database, secret, HERE)
        assert len(await codes(office.database, phone)) == 1
        assert secret not in str(await standing())
        for _ in range(2):
            assert (await program.delete(f"{here}/invitation")).status_code == 204
        assert await standing() is None
