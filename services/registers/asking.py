"""Asking the registers, no faster than agreed; who does not answer is asked again later."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Self

from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.register_batches import AskedAbout, RegisterAnswer, RegisterOfMany
from clients.registers import RegisterBusy, RegisterDown, RegisterGarbled
from rules.clock import now as present
from rules.registers.kinds import RegisterName
from services import outages
from services.registers import pacing
from settings import Settings

SYSTEMS: Mapping[RegisterName, str] = {
    RegisterName.WORKERS: outages.REGISTER,
    RegisterName.ACCREDITATION: outages.ACCREDITATION,
    RegisterName.EDUCATION: outages.EDUCATION,
}
"""By which name the outages of each are kept."""


class NoAnswerError(Exception):
    """A register has not answered; it is asked again at `again_at`."""

    def __init__(self, again_at: datetime) -> None:
        super().__init__("no answer")
        self.again_at = again_at


class RegisterLines:
    """The lines to the registers; `rate` is how often a second each may be asked."""

    def __init__(
        self, database: Database, lines: Mapping[RegisterName, RegisterOfMany], rate: float
    ) -> None:
        self._database = database
        self._lines = lines
        self._rate = rate

    @classmethod
    def of(cls, settings: Settings, database: Database) -> Self:
        """The registers of this installation."""
        urls = {
            RegisterName.WORKERS: settings.register_url,
            RegisterName.ACCREDITATION: settings.accreditation_register_url,
            RegisterName.EDUCATION: settings.education_portal_url,
        }
        lines = {name: RegisterOfMany(name, url) for name, url in urls.items()}
        return cls(database, lines, settings.register_rate)

    async def ask(
        self, name: RegisterName, people: Sequence[AskedAbout], patience: timedelta
    ) -> list[RegisterAnswer]:
        """What a register says of these people. Raises NoAnswerError.

        An outage is noted; `answered` ends it.
        """
        try:
            await pacing.turn(self._database, name, self._rate, patience)
            return await self._lines[name].ask(people)
        except pacing.NoSlotError:
            raise NoAnswerError(present() + outages.FIRST_TRY_AFTER) from None
        except RegisterBusy as busy:
            pause = timedelta(seconds=busy.retry_after)
            await pacing.hold(self._database, name, pause)
            raise NoAnswerError(present() + pause) from None
        except (RegisterDown, RegisterGarbled):
            async with self._database.work() as session:
                again_at = await outages.begin(session, SYSTEMS[name], present())
            raise NoAnswerError(again_at) from None

    async def close(self) -> None:
        """Close the connections."""
        for line in self._lines.values():
            await line.close()


async def answered(session: AsyncSession, name: RegisterName, now: datetime) -> None:
    """Note that a register has answered, in the unit of work that stores what it said."""
    await outages.end(session, SYSTEMS[name], now)
