"""The activities of results: look at one, and catch up with the laboratory's list."""

from temporalio import activity

from activities.shifts import beating
from clients.clinic.laboratory import LaboratoryClient
from clients.database import Database
from models.messages import ResultLook, ResultRef
from services.own_workflows import Wake
from services.results import catching_up, looking
from services.results.terms import terms_of
from settings import Settings


class ResultActivities:
    """Activities of results. Looking twice at the same moment tells nobody twice."""

    def __init__(self, settings: Settings, database: Database, wake: Wake) -> None:
        token, url = settings.laboratory_token.get_secret_value(), settings.laboratory_url
        self._laboratory = LaboratoryClient(url, token) if url else None
        self._database = database
        self._terms = terms_of(settings)
        self._wake = wake

    @activity.defn
    async def look_at_result(self, ref: ResultRef) -> ResultLook:
        """Do what is due of a result. Returns where it stands, and when to look again."""
        return await looking.look(self._database, self._terms, self._laboratory, ref.result_id)

    @activity.defn
    async def catch_up_with_laboratory(self) -> int:
        """Take in what the laboratory sent and we did not get. Returns how much; repeatable."""
        if self._laboratory is None:
            return 0
        async with beating():
            done = await catching_up.catch_up(
                self._database, self._laboratory, self._terms, self._wake
            )
        return done.taken
