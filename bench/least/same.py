"""What all programs share that Medcab is compared with: how they are served, and the paper."""

import socket
from datetime import UTC, datetime

import uvicorn
from fastapi import FastAPI

from services.applications.enrolment_certificate import ActFacts, SealFacts, build_act, new_code
from services.seal import Seal
from settings import Settings


def serve(app: FastAPI, listening: int) -> None:
    """Serve by uvicorn with the settings of `medcab api`."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=listening)])


def make_certificate(settings: Settings, seal: Seal) -> bytes:
    """An enrolment certificate as Medcab makes it, signed with the seal."""
    now = datetime.now(UTC)
    facts = ActFacts(
        institution=settings.institution,
        number="АЗ-2026-000123-4",
        issued_at=now,
        zone=settings.time_zone,
        case_number="ПК-2026-000123-0",
        submitted_at=now,
        person="Соколова Анна Сергеевна",
        position="врач-терапевт",
        unit="Терапевтическое отделение",
        programme="Неотложная помощь при острых состояниях",
        kind="Очный курс",
        hours=72,
        organiser="Академия последипломного образования",
        decided_by="Иванова Мария Петровна",
        decided_post="специалист отдела кадров",
        decided_at=now,
        public_url=settings.public_url,
        code=new_code(),
        seal=SealFacts.of(seal),
        starts_on=now.date(),
    )
    return seal.sign_pdf(build_act(facts), reason="Акт о зачислении")
