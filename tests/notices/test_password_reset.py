"""The mails with the link for a new password, and with that of a registration."""

import re

from clients.database import Database
from clients.delivery.mail import Mailer
from models.tables.people import Unit
from rules.clock import now
from rules.staff.registration import Applicant
from services.accounts import password_reset
from services.accounts.sign_in import create_account
from services.notices.channels import MailWay
from services.notices.sender import drain
from services.notices.wording import Addresses
from services.staff import registrations
from settings import Settings
from tests.notices.conftest import Post, Staff
from tests.notices.test_contacts import PASSWORD, mails_to
from tests.shared.accounts import visitor_at


async def test_the_mail_has_the_link_and_nothing_else_does(
    staff: Staff, own_database: Database, mailer: Mailer, addresses: Addresses, post: Post
) -> None:
    """One mail, with one link that opens the page; the notice in the cabinet has another (I14)."""
    anna = await staff.person()
    async with own_database.work() as session:
        await create_account(session, anna, PASSWORD, now(), given=False)
    await password_reset.ask(own_database, anna.email, visitor_at(), now())
    await drain(own_database, MailWay(mailer, addresses))
    (mail,) = mails_to(post, anna.email)
    (secret,) = set(re.findall(r"/sign-in/reset/([\w-]{43})", str(mail)))
    async with own_database.work() as session:
        assert (await password_reset.valid_link(session, secret, now())).person_id == anna.id


async def test_a_mail_goes_to_an_address_that_nobody_has(
    staff: Staff, own_database: Database, mailer: Mailer, addresses: Addresses, post: Post
) -> None:
    """The link of a registration is sent, although there is no person yet (I1)."""
    unit = (await staff.person()).unit_id
    async with own_database.work() as session:
        code = (await session.get_one(Unit, unit)).code
    settings = Settings(registration=True, registration_units=code)
    email = "nobody.yet@h.example"
    applicant = Applicant.read("Орлова Анна", email, "", terms=True)
    await registrations.ask(own_database, settings, applicant, visitor_at(), "en", now())
    await drain(own_database, MailWay(mailer, addresses))
    (mail,) = mails_to(post, email)
    (secret,) = set(re.findall(r"/registration/([\w-]{43})", str(mail)))
    async with own_database.work() as session:
        assert (await registrations.look(session, secret, now())).email == email
