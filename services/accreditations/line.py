"""What the exchange with the federal centre needs: connections, files, the seal."""

from dataclasses import dataclass

from clients.accreditation_centre import AccreditationCentre
from clients.database import Database
from clients.objects import Objects
from services.files.inspection.client import Inspection
from services.files.intake import Files
from services.seal import Seal
from settings import Settings


@dataclass(frozen=True)
class CentreLine:
    """The line to the federal centre of one process."""

    settings: Settings
    database: Database
    objects: Objects
    files: Files
    seal: Seal
    centre: AccreditationCentre

    @classmethod
    def of(
        cls, settings: Settings, database: Database, objects: Objects, seal: Seal
    ) -> "CentreLine":
        """The line that the settings name. Pages are drawn by the process that checks files."""
        files = Files(objects, Inspection())
        centre = AccreditationCentre(settings.accreditation_centre_url)
        return cls(settings, database, objects, files, seal, centre)
