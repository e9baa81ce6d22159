"""A worker with the mail sender alone, as a process that a test can kill."""

import asyncio

from temporalio.worker import Worker

from activities.notices import NoticeActivities
from clients.database import Database
from clients.delivery.mail import Mailer
from clients.delivery.sms import SmsGateway
from clients.temporal.client import connect
from crypto.key_ring import KeyRing, use_key_ring
from services.notices.channels import MailWay, SmsWay
from services.notices.wording import Addresses
from settings import get_settings
from workflows.notices import NoticesMail, NoticesSms


async def main() -> None:
    """Serve until killed."""
    settings = get_settings()
    keys = KeyRing.parse(settings.keys.get_secret_value())
    use_key_ring(keys)
    activities = NoticeActivities(
        Database.from_settings(settings),
        MailWay(Mailer(settings.smtp_url, settings.mail_from), Addresses.of(settings)),
        SmsWay(SmsGateway.from_settings(settings), Addresses.of(settings)),
    )
    worker = Worker(
        await connect(settings, keys),
        task_queue=settings.task_queue,
        workflows=[NoticesMail, NoticesSms],
        activities=[activities.send_mail, activities.send_sms],
    )
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main())
