"""At every entrance of files a person who has sent enough for a day is told when it opens again."""

from dataclasses import replace
from uuid import uuid4

import pytest

from api.container import Container
from api.http.auth import FORM_FIELD
from api.http.body_limits import FILES, SHEETS
from rules.access import Actor, Role
from rules.cases import limits
from rules.clock import now
from services import rate_limits
from tests.api.access import Sent, Things, upload
from tests.api.request_rows import STALE
from tests.api.test_access_table import TABLE, ask
from tests.api.world import Whose, World


def answering(**fields: str) -> Sent:
    """An answer with a file, as a program and as a page send it."""

    def sent(things: Things) -> dict[str, object]:
        return {
            **upload(step=str(STALE), message="Выдано", **fields)(things),
            "headers": {"Idempotency-Key": str(uuid4())},
        }

    return sent


def applying(things: Things) -> dict[str, object]:
    """A sheet that was looked at."""
    return {
        **upload()(things),
        "params": {"digest": "0" * 64},
        "headers": {"Idempotency-Key": str(uuid4())},
    }


ENTRANCES: dict[str, tuple[Role, Sent]] = {
    "/api/v1/documents": (Role.DOCTOR, upload(category="diploma")),
    "/api/v1/documents/{document_id}/versions": (Role.DOCTOR, upload()),
    "/api/v1/requests/{case_id}/answer": (Role.CLERK, answering()),
    "/requests/{case_id}/answer": (Role.CLERK, answering(outcome="answer", act_id=str(uuid4()))),
    "/documents/files": (Role.DOCTOR, upload(category="diploma")),
    "/documents/files/{document_id}": (Role.DOCTOR, upload()),
    "/documents/files/messages/{case_id}": (Role.DOCTOR, upload(text="Вот мой диплом")),
    "/documents/files/cases/{case_id}/{kind}": (Role.DOCTOR, upload()),
    "/documents/files/credentials": (Role.DOCTOR, upload()),
    "/documents/files/credentials/{draft_id}": (Role.DOCTOR, upload()),
    "/administration/staff": (Role.ADMINISTRATOR, upload()),
    "/patients/import": (Role.REGISTRAR, upload()),
    "/api/v1/administration/staff/dry-run": (Role.ADMINISTRATOR, upload()),
    "/api/v1/administration/staff/apply": (Role.ADMINISTRATOR, applying),
}


def with_token(send: Sent, token: str) -> Sent:
    """The same with the token of the page's form before the file."""

    def sent(things: Things) -> dict[str, object]:
        made = send(things)
        return {**made, "data": {**made["data"], FORM_FIELD: token}}

    return sent


async def use_up(container: Container, actor: Actor) -> None:
    """Count as many files as a day has."""
    all_of_them = replace(limits.UPLOADED_FILES, cost=limits.UPLOADED_FILES.times)
    async with container.database.work() as session:
        await rate_limits.take(session, [(all_of_them, str(actor.person_id))], now())


def test_every_entrance_of_files_is_asked() -> None:
    """A route that may take a file's bytes stands among these."""
    assert set(ENTRANCES) == {*FILES, *SHEETS}


@pytest.mark.parametrize("path", ENTRANCES)
async def test_who_has_sent_enough_is_told(world: World, path: str) -> None:
    """429 in words that say when; a program finds the seconds in Retry-After."""
    role, send = ENTRANCES[path]
    holder = await world.holder(role)
    await use_up(world.app.state.container, holder.actor)
    client = holder.client
    row = replace(TABLE[f"POST {path}"], send=with_token(send, client.headers["X-CSRF-Token"]))
    whose = Whose.COLLEAGUE if role is Role.CLERK else Whose.OWN
    answer = await ask(client, f"POST {path}", row, world.things(holder, whose))
    assert answer.status_code == 429, answer.text
    assert "Этот файл можно отправить через" in answer.text
    if path.startswith("/api/"):
        assert 0 < int(answer.headers["retry-after"]) <= 300
    if "messages" in path:
        assert "Вот мой диплом" in answer.text
