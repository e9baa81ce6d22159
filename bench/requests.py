"""P1r and P3r: how long people wait for requests. Both sides use the same simulated gov service.

The service takes each message at once and answers when its switch says so; it looks for work ten
times a second. P1r and P3r leave that wait out: in P1r the service answers after the clock has
stopped, in P3r it has answered before the clock starts.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from statistics import median
from uuid import UUID, uuid4

from bench.desk import NOT_YET, BenchDesk
from bench.ground import Office, RowWatch
from bench.method import Comparison, Costs, Figure, Promise, Series, judge

Call = Callable[[bytes, Mapping[str, str]], Awaitable[None]]


async def p1r(office: Office, scale: float) -> list[Figure]:
    """From submitting to the answer with the number, and to `processing` in PostgreSQL.

    In between the paper is formed, signed, encrypted and stored, and the gov service acknowledges
    it.
    """
    each = 5
    watches = office.watches
    async with BenchDesk.open(office) as desk:

        async def ours() -> Costs:
            waiting = await desk.drafts(each)
            wires = dict(waiting)
            await desk.behave(NOT_YET)
            costs = await _sent(
                list(wires), lambda one: desk.submit(one, wires[one]), watches["medcab"]
            )
            await _answered(desk, list(wires), watches["medcab"], "closed")
            await desk.stand_at(waiting, "ready")
            await office.settle()
            return costs

        async def least() -> Costs:
            waiting = [uuid4() for _ in range(each)]
            await desk.behave(NOT_YET)
            costs = await _sent(waiting, desk.submit_least, watches["least"])
            await _answered(desk, waiting, watches["least"], "ready")
            return costs

        return await judge(
            [
                Promise("number", "P1ra", "request until the number", Comparison.AT_MOST, 1.15),
                Promise("handed", "P1rb", "request until processing", Comparison.AT_MOST, 1.3),
            ],
            ours,
            least,
            Series(40).scaled(scale),
            each,
        )


async def _sent(
    waiting: Sequence[UUID], submit: Callable[[UUID], Awaitable[None]], watch: RowWatch
) -> Costs:
    numbered, handed = [], []
    for case_id in waiting:
        began = time.perf_counter()
        await submit(case_id)
        numbered.append(time.perf_counter() - began)
        await watch.until(case_id, "processing")
        handed.append(time.perf_counter() - began)
    return {"number": median(numbered), "handed": median(handed)}


async def _answered(desk: BenchDesk, waiting: Sequence[UUID], watch: RowWatch, status: str) -> None:
    """Let the gov service answer what it has, so that nothing is left to disturb the next block."""
    await desk.behave(0)
    for case_id in waiting:
        await watch.until(case_id, status)
    await desk.forget()


async def p3r(office: Office, scale: float) -> list[Figure]:
    """From the callback's arrival until the answer can be downloaded.

    The callback is to a request what the decision is to an application in P3: the last event from
    outside, after which the workflow does the rest. An answer by people of a unit could not be
    compared: it is ready with the commit of their own request, and nobody waits for a workflow. The
    gov service makes the answers beforehand and calls nobody; the run itself then sends each,
    signed as the service signs, so that the clock starts with the call. Files are stored before the
    status is `ready`.
    """
    each = 4
    watches = office.watches
    async with BenchDesk.open(office) as desk:

        async def ours() -> Costs:
            await desk.behave(0, "lost")
            waiting = await desk.drafts(each)
            for case_id, wire in waiting:
                await desk.submit(case_id, wire)
            bodies = {}
            for case_id, _ in waiting:
                await watches["medcab"].until(case_id, "processing")
                bodies[case_id] = await desk.answer_of(desk.message_of(case_id))
            # If the workflow had asked for the answer meanwhile, nothing would be left to measure.
            await desk.stand_at(waiting, "processing")
            costs = await _called(desk, bodies, desk.call_back, watches["medcab"], "closed")
            await desk.stand_at(waiting, "ready")
            await desk.read_answer(*waiting[0])
            await desk.forget()
            await office.settle()
            return costs

        async def least() -> Costs:
            await desk.behave(0, "lost")
            waiting = [uuid4() for _ in range(each)]
            for case_id in waiting:
                await desk.submit_least(case_id)
            bodies = {}
            for case_id in waiting:
                await watches["least"].until(case_id, "processing")
                bodies[case_id] = await desk.answer_of(case_id)
            costs = await _called(desk, bodies, desk.call_back_least, watches["least"], "ready")
            await desk.forget()
            return costs

        promise = Promise("answer", "P3r", "callback until the answer", Comparison.AT_MOST, 1.3)
        return await judge([promise], ours, least, Series(30).scaled(scale), each)


async def _called(
    desk: BenchDesk, bodies: Mapping[UUID, bytes], call: Call, watch: RowWatch, status: str
) -> Costs:
    costs = []
    for case_id, body in bodies.items():
        headers = desk.signed(body)
        began = time.perf_counter()
        await call(body, headers)
        await watch.until(case_id, status)
        costs.append(time.perf_counter() - began)
    return {"answer": median(costs)}
