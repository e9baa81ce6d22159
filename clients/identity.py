"""The client of the identity register: who bears an INN, or a personnel number."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from clients.registers import Register, RegisterGarbled


class IdentityCard(BaseModel):
    """What the register says of one person."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: str
    surname: str
    name: str = ""
    patronymic: str = ""
    birth_date: date
    snils: str = ""
    certificates: tuple[str, ...] = ()
    """Numbers of state certificates that are valid."""


class IdentityClient(Register):
    """The identity register."""

    async def look_up(self, number: str) -> IdentityCard | None:
        """The person with this INN or personnel number; None if the register knows nobody.

        Raises RegisterDown and RegisterGarbled; neither contains personal data.
        """
        card = await self._search("/v1/people/search", {"number": number}, IdentityCard)
        if card and card.number != number:
            raise RegisterGarbled("the answer is about somebody else")
        return card
