"""What the laboratory says and people answer for, while servers fail."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar
from uuid import uuid4

import httpx

from clients.clinic.laboratory import LabMessage
from ops.faults.clients import GIVE_UP_SECONDS, ApiClient, NoAnswer
from ops.faults.clinic.people import BORN, UNIT, ClinicCast, FaultsPatient
from ops.faults.evidence import Evidence
from ops.faults.story import LOOKS_EVERY, Story, until
from rules.clock import now
from rules.patients.identity import Sex
from rules.results.life import NextStep, OfferState, ResultStage
from rules.results.values import Flag
from services.results.rows import id_of

NUMBER = "F-"
"""How the numbers of a run's results begin."""
AT_ONCE = 10
"""So many results one story brings."""
FATES: Mapping[str, int] = {
    "confirmed": 3,
    "critical": 1,
    "corrected before": 2,
    "corrected after": 2,
    "handed over": 2,
    "came back": 1,
    "of a stranger": 2,
    "returned": 1,
    "left": 1,
}
"""What becomes of one result, by weight."""


class ResultStory(Story):
    """Some results of one doctor's patient; each has a fate of its own."""

    room = "results"
    endings: ClassVar[Mapping[str, int]] = {"results_answered": 1}

    def __init__(
        self,
        evidence: Evidence,
        doctors: list[ApiClient],
        registrar: ApiClient,
        dice: random.Random,
        cast: ClinicCast,
        laboratory: str,
    ) -> None:
        super().__init__(evidence, doctors[0], dice)
        self._doctor, self._colleague = doctors
        self._registrar, self._cast, self._laboratory = registrar, cast, laboratory
        self._patient = dice.choice(cast.patients)
        weighed = dice.choices(list(FATES), list(FATES.values()), k=AT_ONCE)
        self._fates = {f"{NUMBER}{uuid4().hex}": fate for fate in weighed}
        if not evidence.confirmed:
            # The first one has all fates, however short the run is.
            self._fates = dict(zip(self._fates, FATES, strict=False))

    async def _submit(self) -> None:
        await asyncio.gather(*(self._say(number) for number in self._fates))

    async def _end(self, ending: str) -> None:
        del ending
        await asyncio.gather(*(self._meet(*one) for one in self._fates.items()))

    async def _meet(self, number: str, fate: str) -> None:
        fates: dict[str, Callable[[str], Awaitable[object]]] = {
            "confirmed": self._confirm,
            "critical": self._critical,
            "corrected before": self._corrected_before,
            "corrected after": self._corrected_after,
            "handed over": lambda one: self._offer(one, OfferState.ACCEPTED),
            "came back": lambda one: self._offer(one, OfferState.REFUSED),
            "of a stranger": self._matched,
            "returned": self._returned,
            "left": self._heard,
        }
        await fates[fate](number)

    async def _critical(self, number: str) -> None:
        """Nobody rang: that is recorded, and then it is confirmed."""
        page = await self._page(self._doctor, number)
        body = {"version": page["versions"][0]["number"], "words": "Никто не звонил."}
        await self._doctor.ask("POST", f"/results/{id_of(number)}/call", body)
        await self._confirm(number)

    async def _corrected_before(self, number: str) -> None:
        """The correction comes while somebody confirms what they have just seen."""
        await self._heard(number)
        await asyncio.gather(self._confirm(number), self._say(number, ResultStage.CORRECTED))
        await self._confirm(number, least=2)

    async def _corrected_after(self, number: str) -> None:
        """A correction opens it again for whoever had confirmed it."""
        await self._confirm(number)
        await self._say(number, ResultStage.CORRECTED)
        await self._confirm(number, least=2)

    async def _offer(self, number: str, answer: OfferState) -> None:
        """Ask a colleague, who accepts and confirms, or refuses: then it is the doctor's again."""
        await self._heard(number)
        path = f"/results/{id_of(number)}/offers"
        body = {"to": str(self._colleague.player.person_id), "reason": "Ухожу на операцию."}
        offered = self._must(await self._doctor.ask("POST", path, body), "an offer")
        said = {"answer": answer.value}
        reply = await self._colleague.ask("POST", f"{path}/{offered.body['id']}", said)
        self._must(reply, "an answer to the offer")
        taken = answer is OfferState.ACCEPTED
        await self._confirm(number, by=self._colleague if taken else self._doctor)

    async def _matched(self, number: str) -> None:
        """Somebody finds whose it is; then its doctor confirms it."""
        await self._of_nobody(number)
        body = {"patient_id": str(self._patient.id), "version": 1}
        reply = await self._registrar.ask("POST", f"/results/{id_of(number)}/match", body)
        if not reply.good and reply.status != 409:
            raise NoAnswer(f"match: {reply.status} {reply.body}")
        await self._confirm(number)

    async def _returned(self, number: str) -> None:
        """Nobody knows the patient: the laboratory gets it back."""
        page = await self._of_nobody(number)
        body = {"version": page["version"], "reason": "Такого пациента у нас нет."}
        reply = await self._registrar.ask("POST", f"/results/{id_of(number)}/return", body)
        self._must(reply, "a return")

    async def _heard(self, number: str) -> Any:
        return await self._page(self._doctor, number)

    async def _confirm(self, number: str, least: int = 1, by: ApiClient | None = None) -> None:
        """Confirm the newest version, and again while a newer one comes in between."""
        who = by or self._doctor
        while True:
            page = await self._page(who, number, least)
            version = page["versions"][0]["number"]
            body = {
                "version": version,
                "patient_id": page["patient_id"],
                "next_step": NextStep.NOTHING.value,
            }
            reply = await who.ask("POST", f"/results/{id_of(number)}/confirm", body)
            if reply.good:
                self._evidence.confirmed[number, version] = who.player.person_id
                return
            if reply.status != 409:
                raise NoAnswer(f"confirm: {reply.status} {reply.body}")

    async def _page(self, who: ApiClient, number: str, least: int = 1) -> Any:
        """The page of a result, once so many versions were heard."""
        path, found = f"/results/{id_of(number)}", dict[str, Any]()

        async def heard() -> bool:
            reply = await who.ask("GET", path)
            found.update(reply.body if reply.good else {})
            return reply.good and reply.body["versions"][0]["number"] >= least

        await until(f"version {least} of {number}", heard)
        return found

    async def _of_nobody(self, number: str) -> Any:
        path, found = f"/results/unmatched/{id_of(number)}", dict[str, Any]()

        async def heard() -> bool:
            reply = await self._registrar.ask("GET", path)
            found.update(reply.body if reply.good else {})
            return reply.good

        await until(f"{number} on the desk", heard)
        return found

    async def _say(self, number: str, stage: ResultStage = ResultStage.FINAL) -> None:
        """Have the laboratory say a version, again and again until it answers.

        If an answer is lost, the same comes once more as the next version.
        """
        fate = self._fates[number]
        said = _message(number, stage, fate, self._patient, self._cast, self._doctor)
        body = said.model_dump(mode="json")
        async with (
            httpx.AsyncClient(base_url=self._laboratory, trust_env=False, timeout=5) as http,
            asyncio.timeout(GIVE_UP_SECONDS),
        ):
            while True:
                try:
                    reply = await http.put("/v1/results", json=body)
                    LabMessage.model_validate_json(reply.raise_for_status().content)
                except (httpx.HTTPError, ValueError):
                    await asyncio.sleep(LOOKS_EVERY)
                else:
                    return


def _message(
    number: str,
    stage: ResultStage,
    fate: str,
    patient: FaultsPatient,
    cast: ClinicCast,
    doctor: ApiClient,
) -> LabMessage:
    stranger = {"name": "Неизвестная Анна", "birth_date": BORN, "sex": Sex.FEMALE.value}
    known = {**stranger, "name": patient.name, "snils": patient.snils}
    critical = fate == "critical"
    return LabMessage.model_validate(
        {
            "number": number,
            "version": 1,
            "stage": stage,
            "order": "З-1",
            "ordered_by": cast.snils[doctor.player.person_id],
            "unit": UNIT,
            "patient": stranger if fate in ("of a stranger", "returned") else known,
            "ready_at": now(),
            "test": {"code": "2823-3", "name": "Калий", "dictionary": "LOINC"},
            "value": "6.9" if critical else "5.4",
            "unit_of_value": "ммоль/л",
            "reference": {"low": "3.5", "high": "5.1"},
            "flag": Flag.CRITICAL_HIGH if critical else Flag.HIGH,
        }
    )
