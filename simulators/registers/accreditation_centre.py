"""The federal accreditation centre.

It takes a portfolio, looks through it, passes it on to the commission and decides, each after some
seconds. `PUT /faults` spoils the connection; `PUT /behaviour` says what the centre answers;
`GET /packages` lists what it was given, without contents. It keeps nothing over a restart: a
package that it has lost is sent again.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any, Literal
from uuid import UUID

import pikepdf
from fastapi import FastAPI, UploadFile
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from clients.accreditation_centre import (
    ENDS,
    OTHER_CONTENTS,
    UNKNOWN,
    CentreState,
    PackageStanding,
    digest_of,
)
from rules.accreditations.norms import years_before
from simulators.faults import FaultSwitch, FaultyServer

LARGEST = 10 * 1024 * 1024
"""Bytes of a file that the centre takes at most."""
_WORDS = {
    CentreState.REMARKS: "Приложите отчёт с подписью руководителя и уточните стаж.",
    CentreState.RETURNED: "Документы возвращены: портфолио заполнено не полностью.",
    CentreState.REFUSED: "Комиссия решила: аккредитация не пройдена.",
}


class CentreBehaviour(BaseModel):
    """What the centre does with a package.

    `silent`: it takes packages and never decides. `lost`: it takes a package, and its reply is
    lost on the way.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    delay: float = Field(6.0, ge=0, le=86400, description="Seconds until the decision.")
    answer: Literal["accredited", "remarks", "returned", "refused", "silent"] = "accredited"
    extract: Literal["given", "none", "active"] = Field(
        "given", description="What it issues: a PDF, nothing, or a PDF that acts when opened."
    )
    lost: bool = False
    garbled: bool = Field(False, description="Answer with a decision that is not whole.")


class KeptPackage(BaseModel):
    """A package as the centre keeps it: no contents, only their digest."""

    id: UUID
    number: str
    version: int
    digest: str
    size: int
    taken: float
    sent: int = 1
    standing: PackageStanding | None = None
    """What was decided, once it is."""


class Centre:
    """The centre behind its routes."""

    def __init__(self) -> None:
        self.packages: dict[UUID, KeptPackage] = {}
        self.extracts: dict[UUID, bytes] = {}
        self.behaviour = CentreBehaviour()

    def take(self, id_: UUID, application: bytes, portfolio: bytes) -> str:
        """Take a package. Returns the code of the reason if it is refused."""
        digest = digest_of(application, portfolio)
        if (known := self.packages.get(id_)) is not None:
            self._keep(known.model_copy(update={"sent": known.sent + 1}))
            return "" if known.digest == digest else OTHER_CONTENTS
        if len(portfolio) > LARGEST:
            return "too_large"
        try:
            told = json.loads(application)
            number, version = str(told["number"]), int(told["version"])
        except (ValueError, KeyError, TypeError):
            return "unreadable"
        if not portfolio.startswith(b"%PDF-"):
            return "unreadable"
        self._keep(
            KeptPackage(
                id=id_,
                number=number,
                version=version,
                digest=digest,
                size=len(portfolio),
                taken=time.time(),
            )
        )
        return ""

    def standing(self, id_: UUID) -> PackageStanding:
        """How a package stands now; a decision stays, whatever the behaviour becomes."""
        package = self.packages[id_]
        if package.standing is not None:
            return package.standing
        age, behaviour = time.time() - package.taken, self.behaviour
        state = CentreState.TAKEN
        if behaviour.answer != "silent" and age >= behaviour.delay / 2:
            state = CentreState.COMMISSION
            if age >= behaviour.delay or behaviour.answer in ("remarks", "returned"):
                state = CentreState(behaviour.answer)
        found = _said(package, state)
        if state is CentreState.ACCREDITED and behaviour.extract != "none":
            extract = extract_of(found.number, active=behaviour.extract == "active")
            self.extracts[id_] = extract
            found = found.model_copy(update={"extract": hashlib.sha256(extract).hexdigest()})
        if state in ENDS:
            self._keep(package.model_copy(update={"standing": found}))
        return found

    def _keep(self, package: KeptPackage) -> None:
        self.packages[package.id] = package


def _said(package: KeptPackage, state: CentreState) -> PackageStanding:
    today = datetime.now(UTC).date()
    decision: dict[str, Any] = {}
    if state is CentreState.ACCREDITED:
        decision = {
            "number": f"7725 {int(package.id) % 10**9:09}",
            "decided_on": today,
            "valid_until": _five_years_after(today),
        }
    return PackageStanding(
        state=state,
        at=datetime.now(UTC),
        digest=package.digest,
        words=_WORDS.get(state, ""),
        **decision,
    )


def extract_of(number: str, *, active: bool = False) -> bytes:
    """An extract from the register of accreditations: a page of PDF with its number."""
    made = BytesIO()
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(595, 842))
        words = f"BT /F1 14 Tf 72 760 Td (Accreditation {number}) Tj ET"
        page.contents_add(words.encode("ascii"))
        page.add_resource(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
            ),
            pikepdf.Name.Font,
            pikepdf.Name.F1,
        )
        if active:
            pdf.Root.OpenAction = pikepdf.Dictionary(
                S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)")
            )
        pdf.save(made, deterministic_id=True)
    return made.getvalue()


def _five_years_after(day: date) -> date:
    return years_before(day, -5)


def create_app() -> FastAPI:
    """The centre; `app.state.faults` is its fault switch."""
    centre, switch = Centre(), FaultSwitch()
    app = FastAPI(title="Федеральный аккредитационный центр (имитация)", version="1")
    app.state.faults, app.state.centre = switch, centre
    app.include_router(switch.router())
    app.add_middleware(FaultyServer, switch=switch)

    def reply(id_: UUID, status: int = 200) -> Response:
        if id_ not in centre.packages:
            return JSONResponse({"code": UNKNOWN}, 404)
        said = centre.standing(id_).model_dump(mode="json")
        if centre.behaviour.garbled:
            said |= {"state": "accredited", "number": "", "valid_until": None}
        return JSONResponse(said, status)

    @app.put("/v1/packages/{id_}")
    async def take(id_: UUID, application: UploadFile, portfolio: UploadFile) -> Response:
        """Take a package: 202, 200 for one that is known already, 409 or 422."""
        known = id_ in centre.packages
        code = centre.take(id_, await application.read(), await portfolio.read())
        if code:
            return JSONResponse({"code": code}, 409 if code == OTHER_CONTENTS else 422)
        if centre.behaviour.lost:
            return JSONResponse({"detail": "gateway timeout"}, 504)
        return reply(id_, 200 if known else 202)

    @app.get("/v1/packages/{id_}")
    async def standing(id_: UUID) -> Response:
        """How a package stands."""
        return reply(id_)

    @app.get("/v1/packages/{id_}/extract")
    async def extract(id_: UUID) -> Response:
        """What was issued."""
        if id_ not in centre.extracts:
            return JSONResponse({"code": UNKNOWN}, 404)
        return Response(centre.extracts[id_], media_type="application/pdf")

    @app.get("/packages")
    async def listed() -> list[dict[str, Any]]:
        """All packages, for tests."""
        return [one.model_dump(mode="json") for one in centre.packages.values()]

    @app.delete("/packages/{id_}")
    async def forget(id_: UUID) -> None:
        """Lose a package, as a centre does that restores an old backup."""
        centre.packages.pop(id_, None)

    @app.put("/behaviour")
    async def behave(behaviour: CentreBehaviour) -> CentreBehaviour:
        """Say what the centre answers from now on."""
        centre.behaviour = behaviour
        return behaviour

    return app


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator that these options describe, and its port on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8096)
    return create_app(), parser.parse_args(options).port
