"""Invitations: a person without an account gets a link, chooses a password and signs in (I6)."""

import asyncio
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import literal_column, update
from sqlalchemy import table as plain_table
from sqlmodel import col, func, select

from crypto.key_ring import key_ring
from models.encrypted_columns import bound
from models.tables.accounts import Account, AccountSession, Invitation
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from models.tables.people import Person
from rules.access import Actor, Role
from rules.clock import now
from rules.notices.kinds import Channel, NoticeKind
from rules.refusals import Refusal
from rules.staff.people import LeftAlone
from services.accounts import sign_in as accounts
from services.accounts.sessions import hash_token
from services.notices.channels import MailWay
from services.notices.sender import fail
from services.notices.wording import Addresses
from services.staff import importing, invitations
from tests.shared.accounts import PASSWORD, fresh_code, visitor_at
from tests.shared.cabinet import TOKEN
from tests.staff.hospital import Staff, staff
from tests.staff.test_importing import ANNA, IVAN, table

__all__ = ["staff"]


async def invited(staff: Staff, *people: Actor, act_id: UUID | None = None) -> list[UUID]:
    """Invite people as the administrator."""
    ids = [one.person_id for one in people]
    return list((await staff.container.staff.invite(staff.admin, act_id or uuid4(), ids)).invited)


async def mails(staff: Staff, person: Actor) -> list[Notice]:
    """The mails to a person, oldest first."""
    async with staff.database.work() as session:
        found = await session.exec(
            select(Notice)
            .where(Notice.person_id == person.person_id, Notice.channel == "mail")
            .order_by(col(Notice.created_at))
        )
        return list(found.all())


async def secret_of(staff: Staff, person: Actor) -> str:
    """The secret in the last mail to a person."""
    return str((await mails(staff, person))[-1].contents["path"]).rpartition("/")[2]


async def kinds(staff: Staff, chain: UUID) -> list[str]:
    """The kinds of entries in a chain, oldest first."""
    async with staff.database.work() as session:
        found = await session.exec(
            select(JournalEntry.kind)
            .where(JournalEntry.chain == chain)
            .order_by(col(JournalEntry.position))
        )
        return list(found.all())


async def state(staff: Staff, person: Actor) -> str:
    """The state of an account, as the administrator sees it."""
    browser = await staff.browser(staff.admin)
    answer = await browser.get(f"/api/v1/people/{person.person_id}")
    return str(answer.json()["state"])


async def test_an_invited_nurse_signs_in(staff: Staff) -> None:
    """From «no account» by the mail, a password and an app to the cabinet, on the pages."""
    nurse = await staff.person("Орлова Анна Львовна", Role.NURSE, account=False)
    admin = await staff.browser(staff.admin)
    assert await state(staff, nurse) == "none"
    page = await admin.get("/people/invite", params={"person": str(nurse.person_id)})
    assert "Орлова Анна Львовна" in page.text
    act_id = re.findall(r'name="act_id" value="([^"]+)"', page.text)[0]
    done = await admin.post(
        "/people/invite", data={"act_id": act_id, "person": str(nurse.person_id)}
    )
    assert done.status_code == 303, done.text
    assert await state(staff, nurse) == "invited"
    assert "письмо ещё не отправлено" in (await admin.get(f"/people/{nurse.person_id}")).text
    (mail,) = await mails(staff, nurse)
    way = MailWay(None, Addresses("http://here", "", "Больница"))  # type: ignore[arg-type]
    letter = way._letter([mail])
    link = re.findall(r"http://here(/invitation/\S+)", letter.text)[0]
    assert "пароль" in letter.text
    assert PASSWORD not in letter.text

    async with staff.client() as browser:
        opened = await browser.get(link)
        assert "Анна Львовна" in opened.text
        assert (await browser.get(link)).status_code == 200, "looking uses nothing up"
        token = TOKEN.findall(opened.text)[0]
        weak = await browser.post(link, data={"csrf_token": token, "new_password": "коротко"})
        assert weak.status_code == 422
        assert "короче 12 знаков" in weak.text
        token = TOKEN.findall(weak.text)[0]
        chosen = await browser.post(link, data={"csrf_token": token, "new_password": PASSWORD})
        assert chosen.headers["location"] == "/sign-in/setup?next=/", chosen.text
        setup = await browser.get("/sign-in/setup")
        shown = re.findall(r'id="totp-secret">([A-Z2-7 ]+)<', setup.text)[0].replace(" ", "")
        token = TOKEN.findall(setup.text)[0]
        code = await fresh_code(shown)
        done = await browser.post("/sign-in/setup", data={"csrf_token": token, "code": code})
        assert done.status_code == 200
        assert "оды восстановления" in done.text
        assert (await browser.get("/applications")).status_code == 200
    assert await state(staff, nurse) == "active"
    chain = await kinds(staff, nurse.person_id)
    assert chain[:3] == ["person.invited", "account.created", "person.invitation_used"]
    assert await kinds(staff, staff.admin.person_id) == ["person.invited"]
    async with staff.client() as browser:
        again = await browser.get(link)
        assert again.status_code == 409
        assert "больше не действует" in again.text


async def test_the_secret_is_stored_hashed_and_never_in_the_clear(staff: Staff) -> None:
    """The row has a hash, the mail in the database is encrypted (I10)."""
    nurse = await staff.person("Орлова Анна", account=False)
    await invited(staff, nurse)
    secret = await secret_of(staff, nurse)
    async with staff.database.work() as session:
        row = (await session.exec(select(Invitation))).one()
        assert row.secret_hash == hash_token(secret)
        assert row.ends_at - row.created_at == timedelta(hours=72)
        for one in ("notice", "invitation", "staff_act", "journal_entry"):
            found = await session.exec(
                select(func.count())
                .select_from(plain_table(one))
                .where(literal_column(f"{one}::text").contains(secret))
            )
            assert found.one() == 0, one


async def test_whoever_invited_hears_of_a_mail_that_bounced(staff: Staff) -> None:
    """The invited one cannot look into the cabinet; without the right any longer, others hear."""
    nurse = await staff.person("Орлова Анна", account=False)
    await invited(staff, nurse)
    async with staff.database.work() as session:
        found = await session.exec(
            select(Notice).where(
                Notice.person_id == nurse.person_id, Notice.channel == Channel.MAIL.value
            )
        )
        await fail(session, found.one(), "bounced", now())
        told = await session.exec(
            select(Notice.facts).where(
                Notice.person_id == staff.admin.person_id,
                Notice.kind == NoticeKind.INVITATION_FAILED.value,
                Notice.channel == Channel.CABINET.value,
            )
        )
        assert told.all() == [{"person": str(nurse.person_id)}]


async def test_one_act_invites_many_once(staff: Staff) -> None:
    """Imported nurses get a mail each; the act again sends none; others are left alone (O6)."""
    nurses = [await staff.person(f"Сестра {n}", account=False) for n in range(5)]
    doctor = await staff.person("Врач Есть")
    gone = await staff.person("Ушла Сестра", account=False)
    async with staff.database.work() as session:
        await session.exec(
            update(Person).where(col(Person.id) == gone.person_id).values(left_at=now())
        )
    browser, key = await staff.browser(staff.admin), str(uuid4())
    body = {"people": [str(one.person_id) for one in (*nurses, doctor, gone)]}
    for _ in range(2):
        answer = await browser.post(
            "/api/v1/people/invitations", json=body, headers={"Idempotency-Key": key}
        )
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["invited"]) == 5
        assert {one["id"]: one["why"] for one in answer.json()["left_alone"]} == {
            str(doctor.person_id): LeftAlone.HAS_ACCOUNT,
            str(gone.person_id): LeftAlone.HAS_LEFT,
        }
    assert [len(await mails(staff, one)) for one in nurses] == [1] * 5
    other = await browser.post(
        "/api/v1/people/invitations",
        json={"people": body["people"][:1]},
        headers={"Idempotency-Key": key},
    )
    assert other.json()["code"] == "act_id_reused"
    assert await kinds(staff, staff.admin.person_id) == ["person.invited"]


async def test_inviting_again_ends_the_older_link(staff: Staff) -> None:
    """The first secret opens nothing any more, and a mail with it that waits is not sent."""
    nurse = await staff.person("Орлова Анна", account=False)
    await invited(staff, nurse)
    first = await secret_of(staff, nurse)
    await invited(staff, nurse)
    assert [one.state for one in await mails(staff, nurse)] == ["superseded", "waiting"]
    async with staff.database.work() as session:
        with pytest.raises(Refusal, match="invitation_over"):
            await invitations.look(session, first, now())
        assert (await invitations.look(session, await secret_of(staff, nurse), now())).name


@pytest.mark.asvs("6.4.1")
@pytest.mark.parametrize("how", ["revoked", "72 hours", "left", "another address"])
async def test_a_link_ends(staff: Staff, how: str) -> None:
    """Revoked, too old, of somebody who left, or sent to an address that is no longer theirs."""
    nurse = await staff.person("Орлова Анна", account=False)
    await invited(staff, nurse)
    secret, moment = await secret_of(staff, nurse), now()
    if how == "revoked":
        browser = await staff.browser(staff.admin)
        path = f"/people/{nurse.person_id}/invitation/revoke"
        assert (await browser.post(path, data={"act_id": str(uuid4())})).status_code == 303
        assert (await browser.post(path, data={"act_id": str(uuid4())})).status_code == 409
        assert await state(staff, nurse) == "none"
        assert (await kinds(staff, nurse.person_id))[-1] == "person.invitation_revoked"
    elif how == "72 hours":
        async with staff.database.work() as session:
            assert await invitations.look(session, secret, moment + timedelta(hours=71, minutes=59))
        moment += timedelta(hours=72, seconds=1)
    elif how == "left":
        async with staff.database.work() as session:
            await session.exec(
                update(Person).where(col(Person.id) == nurse.person_id).values(left_at=now())
            )
        moment = now()
    else:
        await _import_with_another_address(staff, nurse)
    with pytest.raises(Refusal, match="invitation_over"):
        await invitations.accept(staff.database, secret, PASSWORD, visitor_at(), moment)
    async with staff.database.work() as session:
        assert await session.get(Account, nurse.person_id) is None


async def _import_with_another_address(staff: Staff, nurse: Actor) -> None:
    """Import a table that knows the nurse by SNILS, with another address."""
    snils = "001-001-998 77"
    async with staff.database.work() as session:
        person = await session.get_one(Person, nurse.person_id)
        person.snils, person.snils_blind = snils, key_ring().blind(snils)
        session.add(person)
    body = table(ANNA, IVAN)
    inspection = staff.container.inspection
    told = await importing.dry_run(staff.database, inspection, staff.admin, body)
    assert not told.wrong, told.wrong
    await importing.apply(staff.database, inspection, staff.admin, body, told.digest, uuid4())


async def test_two_who_hold_the_link_make_one_account(staff: Staff) -> None:
    """Of ten tries at once one passes; all others are told that the link is over."""
    nurse = await staff.person("Орлова Анна", account=False)
    await invited(staff, nurse)
    secret = await secret_of(staff, nurse)
    tried = await asyncio.gather(
        *(
            invitations.accept(staff.database, secret, PASSWORD, visitor_at(), now())
            for _ in range(10)
        ),
        return_exceptions=True,
    )
    assert sum(not isinstance(one, BaseException) for one in tried) == 1
    refused = [one for one in tried if isinstance(one, BaseException)]
    assert {getattr(one, "code", one) for one in refused} == {"invitation_over"}


async def test_an_address_signs_in_one_person_only(staff: Staff) -> None:
    """Somebody with the address of an account is not invited, and the remedy is said."""
    doctor = await staff.person("Врач Есть")
    twin = await staff.person("Тёзка Сестра", account=False)
    async with staff.database.work() as session:
        person = await session.get_one(Person, twin.person_id)
        person.email = (await staff.email(doctor)).upper()
        session.add(person)
    with pytest.raises(Refusal) as refused:
        await invited(staff, twin)
    assert "загрузите его снова" in refused.value.message


async def test_inviting_asks_for_a_code_and_for_the_right_in_the_unit(staff: Staff) -> None:
    """An old session confirms itself first; another administrator's people are not found."""
    local = await staff.person("Местный", Role.ADMINISTRATOR, staff.office.hr)
    nurse = await staff.person("Сестра Палатная", account=False)
    browser = await staff.browser(local)
    key = {"Idempotency-Key": str(uuid4())}
    body = {"people": [str(nurse.person_id)]}
    path = "/api/v1/people/invitations"
    assert (await browser.post(path, json=body, headers=key)).status_code == 404
    admin = await staff.browser(staff.admin)
    async with staff.database.work() as session:
        await session.exec(
            update(AccountSession).values(second_factor_at=now() - timedelta(minutes=6))
        )
    asked = await admin.post(path, json=body, headers=key)
    assert asked.json()["code"] == "second_factor_needed"
    led = await admin.get("/people/invite", params={"person": str(nurse.person_id)})
    assert led.headers["location"].startswith("/profile/confirm?next=/people/invite")


async def test_an_account_that_was_begun_can_be_invited_again(staff: Staff) -> None:
    """A password without a second factor opens nothing: a new link sets another (I5)."""
    nurse = await staff.person("Орлова Анна", Role.NURSE, account=False)
    await invited(staff, nurse)
    first = await secret_of(staff, nurse)
    await invitations.accept(staff.database, first, PASSWORD, visitor_at(), now())
    admin = await staff.browser(staff.admin)
    shown = (await admin.get(f"/api/v1/people/{nurse.person_id}")).json()
    assert (shown["state"], shown["unfinished"]) == ("active", True)
    assert "Пригласить ещё раз" in (await admin.get(f"/people/{nurse.person_id}")).text
    await invited(staff, nurse)
    again = await secret_of(staff, nurse)
    other = "совсем другие пять слов подряд"
    await invitations.accept(staff.database, again, other, visitor_at(), now())
    email = await staff.email(nurse)
    with pytest.raises(Refusal, match="wrong_credentials"):
        await accounts.sign_in(staff.database, email, PASSWORD, visitor_at(), now())
    assert (await accounts.sign_in(staff.database, email, other, visitor_at(), now())).token
    await invited(staff, nurse)
    last = await secret_of(staff, nurse)
    async with staff.database.work() as session:
        await session.exec(
            update(Account)
            .where(col(Account.person_id) == nurse.person_id)
            .values(totp_secret=bound("A" * 32, nurse.person_id), totp_confirmed_at=now())
        )
    with pytest.raises(Refusal, match="invitation_over"):
        await invitations.accept(staff.database, last, PASSWORD, visitor_at(), now())
    with pytest.raises(Refusal, match="nobody_to_invite"):
        await invited(staff, nurse)
