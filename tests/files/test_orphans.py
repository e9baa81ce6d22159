"""Objects of acts and requests whose row never came are swept, the others stay."""

from datetime import timedelta

from activities.files import FOLDERS
from clients.objects import Objects
from models.tables.requests import RequestMessage
from ops.local.buckets import prepare_buckets
from rules.clock import now
from services.files import orphans
from services.requests.acknowledgements import message_id_of
from settings import Settings
from tests.shared.counter import Counter


async def test_what_a_crash_left_behind_is_removed(counter: Counter, settings: Settings) -> None:
    """What was filed before its row was written goes, what has its row stays."""
    # A bucket of its own: rows of other databases name what lies in the common one.
    apart = settings.model_copy(update={"s3_bucket": f"{settings.s3_bucket}-swept"})
    prepare_buckets(apart)
    objects = Objects(apart)
    act = objects.fresh_key("acts")
    await objects.put(act, b"act", 3, "application/pdf")
    keys = [objects.fresh_key("requests") for _ in range(3)]
    for key in keys:
        await objects.put(key, b"paper", 5, "application/pdf")
    case_id = await counter.sent()
    async with counter.database.work() as session:
        session.add(
            RequestMessage(
                case_id=case_id,
                version=1,
                message_id=message_id_of(case_id, 1),
                formed_at=now(),
                paper_key=keys[0],
                paper_sha256="0" * 64,
                paper_size=5,
                envelope_key=keys[1],
            )
        )
    before = now() - timedelta(days=1)
    assert await orphans.sweep(counter.database, objects, FOLDERS, before) == 0
    assert (
        await orphans.sweep(counter.database, objects, FOLDERS, now() + timedelta(minutes=1)) == 2
    )
    left = [item.key async for item in objects.list()]
    assert set(left) == {keys[0], keys[1]}
    await objects.close()
