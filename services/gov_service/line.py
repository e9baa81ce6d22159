"""What the workflow of a request works with: database, objects, seal and the gov service."""

from dataclasses import dataclass
from typing import Self

from clients.database import Database
from clients.gov_service import GovService, callback_url
from clients.objects import Objects
from services.gov_service.envelopes import Envelopes
from services.gov_service.keys import keys_of
from services.seal import Seal
from settings import Settings


@dataclass(frozen=True)
class Exchange:
    """Everything that handing over and answering needs."""

    settings: Settings
    database: Database
    objects: Objects
    seal: Seal
    module: GovService
    envelopes: Envelopes

    @classmethod
    def of(cls, settings: Settings, database: Database, objects: Objects, seal: Seal) -> Self:
        """Build it from what a worker opened.

        The keys of the exchange are read when they are used.
        """
        envelopes = Envelopes(keys_of(settings))
        return cls(settings, database, objects, seal, GovService(settings), envelopes)

    @property
    def callback_url(self) -> str:
        """The address at which the gov service calls back."""
        return callback_url(self.settings)
