"""The conversation through the API: with a key, with files, unread until it is said to be read."""

from uuid import uuid4

import httpx

from services.conversation import Conversations
from tests.conversation.test_conversation import unread
from tests.files.samples import born_digital
from tests.shared.cabinet import TOKEN, Site, account_of, let_in
from tests.shared.office import Office
from tests.shared.waiting import PATIENCE


async def test_a_client_of_the_api_talks(site: Site, office: Office, talk: Conversations) -> None:
    """A file is given, sent with a message once, listed, and what came is read on demand."""
    case_id = await office.in_review()
    await talk.say(office.reviewer, case_id, "Пришлите справку")
    await talk.say(office.reviewer, case_id, "Между нами", internal=True)
    await account_of(office, office.clinician)
    here = f"/api/v1/cases/{case_id}/messages"
    async with httpx.AsyncClient(
        base_url=site.url, headers={"Accept-Language": "ru"}, timeout=PATIENCE
    ) as client:
        await let_in(client, office, office.clinician)
        found = TOKEN.search((await client.get("/profile")).text)
        assert found
        client.headers["X-CSRF-Token"] = found[1]
        assert (await client.get("/api/v1/messages/unread")).json() == [
            {"case_id": str(case_id), "unread": 1}
        ]
        listed = (await client.get(here)).json()
        assert [(m["text"], m["new"], m["own"]) for m in listed] == [
            ("Пришлите справку", True, False)
        ]
        assert await unread(office, office.clinician) == {case_id: 1}
        read = await client.post(f"{here}/read", json={"message_id": listed[0]["id"]})
        assert read.status_code == 204
        assert (await client.get("/api/v1/messages/unread")).json() == []
        given = await client.post(
            "/api/v1/documents",
            params={"category": "message", "file_name": "Справка.pdf"},
            content=born_digital(),
            headers={"Content-Type": "application/pdf"},
        )
        assert given.status_code == 201, given.text
        body = {"text": "Вот она", "files": [given.json()["version"]["id"]]}
        key = {"Idempotency-Key": str(uuid4())}
        for _ in range(2):
            said = await client.post(here, json=body, headers=key)
            assert said.status_code == 201
            assert said.json()["id"] == key["Idempotency-Key"]
        other = await client.post(here, json={"text": "Иное"}, headers=key)
        assert other.status_code == 422
        listed = (await client.get(here)).json()
        assert [f["file_name"] for f in listed[1]["files"]] == ["Справка.pdf"]
        assert len(listed) == 2
        case = (await client.get(f"/api/v1/applications/{case_id}")).json()
        assert [m["text"] for m in case["comments"]] == ["Пришлите справку", "Вот она"]
