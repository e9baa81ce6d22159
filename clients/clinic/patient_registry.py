"""The client of the registry of patients: who bears a number, or a name and a birth date."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from clients.registers import Line, Register, RegisterGarbled, digits_of
from rules.patients.identity import Identity, Sex

MOST = 50


class RegistryPatient(BaseModel):
    """What the registry says of one person."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Line
    birth_date: date
    sex: Sex
    snils: Annotated[str, Field(pattern=r"^(\d{3}-\d{3}-\d{3} \d{2})?$")] = ""
    policy: Annotated[str, Field(pattern=r"^(\d{16})?$")] = ""


class RegistryAnswer(BaseModel):
    """Everybody who fits what was asked."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    patients: tuple[RegistryPatient, ...] = Field(max_length=MOST)


class PatientRegistry(Register):
    """The registry; safe to share between tasks."""

    async def look_up(self, who: Identity) -> tuple[RegistryPatient, ...]:
        """Who bears this SNILS, else this policy, else this name and birth date; perhaps nobody.

        Raises RegisterBusy, RegisterDown and RegisterGarbled; none contains personal data.
        """
        asked = {"name": who.name, "birth_date": who.birth_date.isoformat()}
        if who.snils:
            asked = {"snils": digits_of(who.snils)}
        elif who.policy:
            asked = {"policy": who.policy}
        told = await self._search("/v1/patients/search", asked, RegistryAnswer)
        if told is None:
            raise RegisterGarbled("404 where there is always an answer")
        return told.patients
