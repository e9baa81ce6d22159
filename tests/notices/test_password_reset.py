"""The mail with the link for a new password."""

import re

from clients.database import Database
from clients.delivery.mail import Mailer
from rules.clock import now
from services.accounts import password_reset
from services.accounts.sign_in import create_account
from services.notices.channels import MailWay
from services.notices.sender import drain
from services.notices.wording import Addresses
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
