"""A worker with the comparison alone: as a process that a test can kill, and inside a test."""

import asyncio

from temporalio.client import Client
from temporalio.worker import Worker

from activities.registers import RegisterActivities
from clients.database import Database
from clients.temporal.client import connect
from crypto.key_ring import KeyRing, use_key_ring
from services import crash_points
from services.registers.asking import RegisterLines
from settings import Settings, get_settings
from workflows.registers import OneRegisterCheck, RegisterSync


def worker_of(settings: Settings, client: Client, database: Database) -> Worker:
    """The worker, not started yet."""
    activities = RegisterActivities(database, RegisterLines.of(settings, database))
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=[RegisterSync, OneRegisterCheck],
        activities=[
            activities.begin_register_run,
            activities.compare_with_register,
            activities.look_at_check,
        ],
    )


async def main() -> None:
    """Serve until killed."""
    settings = get_settings()
    keys = KeyRing.parse(settings.keys.get_secret_value())
    use_key_ring(keys)
    crash_points.arm(settings)
    database = Database.from_settings(settings)
    await worker_of(settings, await connect(settings, keys), database).run()


if __name__ == "__main__":
    asyncio.run(main())
