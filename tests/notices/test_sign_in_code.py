"""A code for signing in goes out by the SMS gateway, to the number of the factor."""

from uuid import uuid4

from clients.database import Database
from clients.delivery.sms import SmsGateway
from models.tables.second_factor import SmsFactor
from rules.clock import now
from services.accounts.second_factor.methods import Attempt, Site
from services.accounts.second_factor.sms import Sms
from services.accounts.sign_in import create_account
from services.notices.channels import SmsWay
from services.notices.sender import drain
from services.notices.wording import Addresses
from tests.notices.conftest import Phones, Staff
from tests.notices.test_contacts import PASSWORD
from tests.shared.accounts import visitor_at

SITE = Site("https://cabinet.example", "Больница № 7")


async def test_the_code_comes_by_sms_and_is_the_one_that_signs_in(
    staff: Staff, own_database: Database, addresses: Addresses, phones: Phones
) -> None:
    """The message holds the code and no link; the code is recognised for that sign-in (I3)."""
    anna = await staff.person(phone="+79161234567")
    async with own_database.work() as session:
        await create_account(session, anna, PASSWORD, now(), given=False)
        session.add(SmsFactor(person_id=anna.id, phone="+79161234567", created_at=now()))
    attempt = Attempt(anna.id, uuid4(), visitor_at(), now())
    await Sms().begin(own_database, attempt, SITE)
    async with SmsGateway(phones.address, phones.token, "") as gateway:
        await drain(own_database, SmsWay(gateway, addresses))
    [sent] = phones.to(anna)
    words, _, code = sent["text"].partition(": ")
    assert words == "Код подтверждения"
    use = await Sms().recognise(own_database, attempt, code)
    assert use is not None
    async with own_database.work() as session:
        assert await use(session)
    assert await Sms().recognise(own_database, attempt, code) is None
