"""The least workflows that do what an application, or a request, needs of a durable workflow."""

from datetime import timedelta

from temporalio import workflow

TIMEOUT, REQUEST_TIMEOUT = timedelta(seconds=15), timedelta(seconds=60)
TERM = timedelta(days=10)


@workflow.defn
class LeastCheck:
    """One activity that commits. P1 compares with it how soon a review is open."""

    @workflow.run
    async def run(self, case_id: str) -> None:
        """Check once."""
        await workflow.execute_activity(
            "least_check", args=[case_id, False], start_to_close_timeout=TIMEOUT
        )


@workflow.defn
class LeastCase:
    """Two activities, and between them the wait for a signal that has a term.

    Nothing can be left out: without the first activity nothing is checked, without the wait nobody
    decides, without the term nobody is reminded, without the second activity there is no
    certificate.
    """

    def __init__(self) -> None:
        self._approved = False

    @workflow.run
    async def run(self, case_id: str) -> None:
        """Check, wait, issue."""
        await workflow.execute_activity(
            "least_check", args=[case_id, True], start_to_close_timeout=TIMEOUT
        )
        await workflow.wait_condition(lambda: self._approved, timeout=TERM)
        await workflow.execute_activity("least_act", case_id, start_to_close_timeout=TIMEOUT)

    @workflow.signal
    def approve(self) -> None:
        """The decision is committed."""
        self._approved = True


@workflow.defn
class LeastRequest:
    """Two activities, and between them the wait for the callback, which has a term as well."""

    def __init__(self) -> None:
        self._answered = False

    @workflow.run
    async def run(self, case_id: str) -> None:
        """Hand over, wait, take the answer."""
        await workflow.execute_activity(
            "least_hand_over", case_id, start_to_close_timeout=REQUEST_TIMEOUT
        )
        await workflow.wait_condition(lambda: self._answered, timeout=TERM)
        await workflow.execute_activity(
            "least_take", case_id, start_to_close_timeout=REQUEST_TIMEOUT
        )

    @workflow.signal
    def answered(self) -> None:
        """The callback is committed."""
        self._answered = True
