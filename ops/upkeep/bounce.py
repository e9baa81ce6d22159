"""`medcab bounce`: takes a delivery report from a mail server's pipe, without HTTP in between.

In Postfix, the address that `MEDCAB_MAIL_FROM` names is an alias `"|medcab bounce"`. The exit code
is for the mail server: while the database is down it keeps the report and delivers it again, and
for a report that is not ours it must not send one of its own.
"""

import asyncio
import os
import sys
from typing import BinaryIO

from sqlalchemy.exc import DBAPIError

from clients.database import Database
from clients.delivery.mail_reports import LONGEST_REPORT, MailDelivery, read_report
from crypto.key_ring import KeyRing, use_key_ring
from rules.clock import now
from rules.notices.kinds import Channel
from services.notices import delivery_reports
from settings import Settings


def run(settings: Settings, given: BinaryIO) -> int:
    """Take a report: 0, also for one that is not ours; 75 (EX_TEMPFAIL) to get it again."""
    content = given.read(LONGEST_REPORT)
    while given.read(LONGEST_REPORT):
        pass  # A pipe that is closed early would be an error to the mail server.
    became = read_report(content, now())
    if became is None:
        return _say("not a delivery report about a letter")
    try:
        use_key_ring(KeyRing.installed(settings.keys.get_secret_value(), settings.home))
        known = asyncio.run(_take(settings, became))
    except (OSError, DBAPIError, ValueError) as error:
        _say(f"keys or database cannot be used now: {type(error).__name__}")
        return os.EX_TEMPFAIL
    return 0 if known else _say("a report about no letter of ours")


async def _take(settings: Settings, became: MailDelivery) -> bool:
    database = Database.from_settings(settings)
    try:
        async with database.work() as session:
            said = delivery_reports.mail_said(became)
            return await delivery_reports.receive(session, Channel.MAIL, said)
    finally:
        await database.close()


def _say(words: str) -> int:
    print(f"medcab bounce: {words}", file=sys.stderr)
    return 0
