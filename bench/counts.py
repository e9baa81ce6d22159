"""P6 and P6r: commits and events of one case, and of one request, counted exactly."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from bench.desk import BenchDesk
from bench.ground import Office
from bench.least.programs import temporal
from bench.method import Comparison, Figure, Interval
from models.messages import case_workflow_id
from rules.cases.process import CaseKind

COMMITS, EVENTS = 7, 1.0
REQUEST_COMMITS, REQUEST_EVENTS = 6, 1.2
"""The bars of a request are the figures that were reached, so that none gets worse unnoticed.

Five commits of its own (submitted, formed, handed over, callback stored, answer taken) and one for
the mail; 13 events against 11.
"""
CASES = 10

APART = {
    "sessions": {"account_session", "access_token", "rate_limit", "login_attempt"},
    "views": {"record_view", "journal_pending"},
    "seals": {"journal_seal", "journal_seal_copy", "journal_pending"},
}
"""A commit that wrote only to tables of one of these sets belongs to no case."""

_OF_TASKS = {
    EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
}


def own(commits: Sequence[frozenset[str]]) -> list[frozenset[str]]:
    """The commits that belong to cases."""
    return [one for one in commits if not any(one <= tables for tables in APART.values())]


async def events(client: Client, workflow_id: str) -> Counter[str]:
    """The events of a run by type, without those of workflow tasks."""
    found: Counter[str] = Counter()
    async for event in client.get_workflow_handle(workflow_id).fetch_history_events():
        if event.event_type not in _OF_TASKS:
            name = EventType.Name(event.event_type)
            found[name.removeprefix("EVENT_TYPE_").lower()] += 1
    return found


async def ended(client: Client, workflow_id: str) -> None:
    """Wait until the run has ended: the certificate is committed before the last event."""
    async with asyncio.timeout(30):
        while (await client.get_workflow_handle(workflow_id).describe()).close_time is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def waits(client: Client, workflow_id: str) -> None:
    """Wait until the run has done what it can, and the timer of its term has started."""
    async with asyncio.timeout(30):
        while (await events(client, workflow_id))["timer_started"] == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def p6(office: Office, scale: float) -> list[Figure]:
    """Commits and events of whole cases, one after another.

    They are counted exactly, so there is neither control nor interval.
    """
    del scale
    client, log = await temporal(office.ground.settings), office.ground.log
    ours = await office.drafts(CASES)
    await office.settle()
    async with log.written() as written:
        for case_id, wire in ours:
            await office.whole(case_id, wire)
            await ended(client, case_workflow_id(case_id))
        await office.settle()
    commits = own(written.commits)
    most = max([(await events(client, case_workflow_id(one))).total() for one, _ in ours])
    least_id = uuid4()
    await office.least.ask("POST", f"/cases/{least_id}")
    # An approval before the timer of the term has started would save the events of the timer.
    await waits(client, f"least-{least_id}")
    await office.least.ask("POST", f"/cases/{least_id}/approval")
    await ended(client, f"least-{least_id}")
    least = await events(client, f"least-{least_id}")
    bars = {"P6a": COMMITS, "P6b": EVENTS}
    return _figures(bars, "case", commits, most, 6, least.total())


async def p6r(office: Office, scale: float) -> list[Figure]:
    """Commits and events of whole requests, one after another, each answered by a single callback.

    A slower gov service also calls back that it works on a request: one commit more, and no event.
    """
    del scale
    client, log = await temporal(office.ground.settings), office.ground.log
    async with BenchDesk.open(office) as desk:
        await desk.behave(0, "lost")
        ours = await desk.drafts(CASES)
        await office.settle()
        async with log.written() as written:
            for case_id, wire in ours:
                await desk.submit(case_id, wire)
                await office.watches["medcab"].until(case_id, "processing")
                await waits(client, _request(case_id))
                body = await desk.answer_of(desk.message_of(case_id))
                await desk.call_back(body, desk.signed(body))
                await ended(client, _request(case_id))
            await office.settle()
        await desk.stand_at(ours, "ready")
        commits = own(written.commits)
        most = max([(await events(client, _request(one))).total() for one, _ in ours])
        least_id = uuid4()
        await desk.submit_least(least_id)
        await office.watches["least"].until(least_id, "processing")
        await waits(client, f"least-{least_id}")
        body = await desk.answer_of(least_id)
        await desk.call_back_least(body, {})
        await ended(client, f"least-{least_id}")
        least = await events(client, f"least-{least_id}")
    bars = {"P6ra": REQUEST_COMMITS, "P6rb": REQUEST_EVENTS}
    return _figures(bars, "request", commits, most, 4, least.total())


def _request(case_id: UUID) -> str:
    return case_workflow_id(case_id, CaseKind.REQUEST)


def _figures(
    bars: Mapping[str, float],
    unit: str,
    commits: Sequence[frozenset[str]],
    most: int,
    least_commits: int,
    least_events: int,
) -> list[Figure]:
    """Commits and events of a unit; `most` is the greatest number of events of one case."""
    (commits_name, commits_bar), (events_name, events_bar) = bars.items()
    mails = sum(1 for one in commits if "notice_attempt" in one)
    each, ratio = len(commits) / CASES, most / least_events
    notes = {
        f"commits of {unit}s": f"{(len(commits) - mails) / CASES:g}",
        "of mails told": f"{mails / CASES:g}",
        "events": f"{most} against {least_events}",
    }
    return [
        Figure(
            commits_name,
            f"commits per {unit}",
            Comparison.AT_MOST,
            commits_bar,
            Interval(each, each, each),
            None,
            CASES,
            each,
            least_commits,
            unit="commits",
            notes=notes,
        ),
        Figure(
            events_name,
            f"events per {unit}",
            Comparison.AT_MOST,
            events_bar,
            Interval(ratio, ratio, ratio),
            None,
            CASES,
            most,
            least_events,
            unit="events",
        ),
    ]
