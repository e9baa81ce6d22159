"""A sender of SMS that dies between sending and noting: one message, one row, one line (N3)."""

import asyncio
import os
import signal
import subprocess
import sys
from uuid import uuid4

from sqlmodel import select

from clients.database import Database
from clients.delivery.sms import SmsGateway
from clients.temporal.client import StandingWorkflow, connect, ensure_standing
from crypto.key_ring import KeyRing
from models.tables.notices import Notice
from models.visibility import OpsText
from rules.clock import now
from rules.notices.kinds import Channel, NoticeState
from services.notices import outbox
from services.notices.channels import SmsWay
from services.notices.sender import drain
from services.notices.wording import Addresses
from settings import Settings
from tests.notices.conftest import Phones, Staff
from tests.shared.servers import Simulators
from tests.shared.waiting import until


async def test_killed_between_sending_and_noting(
    own_database: Database,
    settings: Settings,
    simulators: Simulators,
    addresses: Addresses,
    staff: Staff,
    phones: Phones,
) -> None:
    """The gateway has it, the sender is killed before it hears so, the next one finds it there."""
    anna = await staff.person(phone="+79160000042", sms=True)
    client = await connect(settings, KeyRing.parse(settings.keys.get_secret_value()))
    standing = StandingWorkflow(
        "NoticesSms", f"notices-sms-{uuid4()}", OpsText("sends notices by SMS")
    )
    phones.behave(reply="late")
    program = subprocess.Popen(  # noqa: ASYNC220 - started once, never waited for in the loop
        [sys.executable, "-m", "tests.notices.sender"],
        env={
            **os.environ,
            **simulators.variables,
            "TEMPORAL_ADDRESS": settings.temporal_address,
            "DATABASE_URL": own_database.engine.url.set(drivername="postgresql").render_as_string(
                hide_password=False
            ),
            "MEDCAB_KEYS": settings.keys.get_secret_value(),
            "MEDCAB_TASK_QUEUE": standing.id,
        },
    )
    try:
        await ensure_standing(client, standing.id, [standing])
        async with own_database.work() as session:
            await outbox.enqueue(
                session,
                person_id=anna.id,
                kind="application_in_review",
                event_key="killed",
                facts={"number": "ПК-2026-000123-0"},
                now=now(),
            )

        async def taken() -> bool:
            return len(await asyncio.to_thread(phones.to, anna)) == 1

        await until(taken)
        program.send_signal(signal.SIGKILL)
        program.wait()
    finally:
        program.kill()
        await client.get_workflow_handle(standing.id).terminate()
    phones.behave()

    async def told() -> bool:
        async with SmsGateway(phones.address, phones.token, "") as gateway:
            await drain(own_database, SmsWay(gateway, addresses))
        async with own_database.work() as session:
            found = await session.exec(
                select(Notice.state).where(
                    Notice.person_id == anna.id, Notice.channel == Channel.SMS.value
                )
            )
            return list(found) == [NoticeState.TOLD]

    await until(told)
    [sent] = phones.to(anna)
    assert sent["asked"] == 2
