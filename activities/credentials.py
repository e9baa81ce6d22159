"""The activity of a credential: read it, remind of its end, or tell that the end has come."""

from temporalio import activity

from clients.database import Database
from models.messages import CredentialLook, CredentialRef
from services.credentials import life
from services.credentials.ending import Propose


class CredentialActivities:
    """Activities of credentials. Looking twice at the same moment tells nobody twice."""

    def __init__(self, database: Database, propose: Propose) -> None:
        self._database = database
        self._propose = propose

    @activity.defn
    async def look_at_credential(self, ref: CredentialRef) -> CredentialLook:
        """Do what is due of a credential. Returns where it stands, and when to look again."""
        return await life.look(self._database, ref.credential_id, self._propose)
