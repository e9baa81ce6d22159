"""The API of documents over a real server: plain bodies, forms, limits, headers, ranges."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn

from api.http import auth
from clients.database import Database
from rules.access import Actor, Role
from rules.accounts import Stage
from server import create_app
from services.accounts.last_seen import Activity
from services.accounts.sessions import Current
from settings import Settings
from tests.files import samples as s
from tests.shared.hospital import Hospital
from tests.shared.waiting import PATIENCE

DOCUMENTS = "/api/v1/documents"


@dataclass
class Api:
    """A server of the API where a header says who asks."""

    client: httpx.AsyncClient
    port: int
    people: dict[str, Actor]

    def by(self, actor: Actor) -> dict[str, str]:
        """The headers of a request by this person."""
        name = actor.person_id.hex
        self.people[name] = actor
        return {"Authorization": f"Bearer {name}", "Accept-Language": "ru"}

    async def give(self, actor: Actor, content: bytes, **query: str) -> httpx.Response:
        """Give a PDF as a plain body."""
        return await self.client.post(
            DOCUMENTS,
            params={"category": "diploma", "file_name": "Диплом №1.pdf", **query},
            content=content,
            headers={**self.by(actor), "Content-Type": "application/pdf"},
        )


@pytest.fixture(scope="module")
async def api(settings: Settings, database: Database) -> AsyncIterator[Api]:
    """The whole application behind uvicorn."""
    people: dict[str, Actor] = {}
    app = create_app(settings)

    async def who(database: Database, token: str, moment: datetime, _: Activity) -> Current:
        later = moment + timedelta(hours=1)
        return Current(people[token], Stage.OPEN, "ru", "Europe/Moscow", "light", later, later)

    with (
        pytest.MonkeyPatch.context() as patched,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        patched.setattr(auth, "recognise_token", who)
        port = listening.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
            await asyncio.sleep(0.02)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE
        ) as client:
            yield Api(client, port, people)
        server.should_exit = True
        await serving


@pytest.fixture
async def doctor(hospital: Hospital) -> Actor:
    """A doctor with no documents yet."""
    return await hospital.person()


async def test_document_is_given_listed_and_downloaded(api: Api, doctor: Actor) -> None:
    """A plain body becomes a document; it is listed and comes back byte for byte."""
    content = s.born_digital("API")
    made = await api.give(doctor, content, title="Диплом врача")
    assert made.status_code == 201, made.text
    document = made.json()
    assert document["title"] == "Диплом врача"
    assert document["version"]["file_name"] == "Диплом №1.pdf"
    listed = (await api.client.get(DOCUMENTS, headers=api.by(doctor))).json()
    assert [item["id"] for item in listed["items"]] == [document["id"]]
    url = f"{DOCUMENTS}/versions/{document['version']['id']}/file"
    got = await api.client.get(url, headers=api.by(doctor))
    assert got.content == content


async def test_form_gives_a_document(api: Api, doctor: Actor) -> None:
    """A browser's form with fields and a file does the same, name in Cyrillic included."""
    for boundary_in_file in (b"", b"\r\n--" + b"x" * 20 + b"\r\n"):
        content = s.pdf() + b"%" + boundary_in_file
        made = await api.client.post(
            DOCUMENTS,
            data={"category": "course", "title": "Курс"},
            files={"file": ("Удостоверение.pdf", content, "application/pdf")},
            headers=api.by(doctor),
        )
        assert made.status_code == 201, made.text
        assert made.json()["version"]["file_name"] == "Удостоверение.pdf"
        assert made.json()["version"]["size"] == len(content)
        assert made.json()["category"] == "course"


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=x", b"", 422),
        ("multipart/form-data; boundary=x", b"garbage", 400),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disp", 422),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
            + b"y" * 70_000
            + b"\r\n--x--",
            413,
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 120 + b"--x--",
            413,
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--x--',
            422,
        ),
    ],
)
async def test_odd_forms_are_refused(
    api: Api, doctor: Actor, content_type: str, body: bytes, status: int
) -> None:
    """A form that is broken, endless or empty is a client's error, never the server's."""
    headers = {**api.by(doctor), "Content-Type": content_type}
    answer = await api.client.post(f"{DOCUMENTS}?category=other", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_refusal_says_what_is_wrong_and_what_to_do(api: Api, doctor: Actor) -> None:
    """A refused file is a problem with codes for programs and words for people."""
    bad = s.action(b"/S /Launch /F (x)")
    answer = await api.give(doctor, bad)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "file_refused"
    assert problem["findings"][0]["code"] == "launch"
    assert problem["findings"][0]["problem"] == "Файл запускает другие программы."
    assert "Сохранить как PDF" in problem["findings"][0]["remedy"]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "application/zip"}, 415, "wrong_type"),
        ({}, 415, "wrong_type"),
    ],
)
async def test_other_types_are_refused(
    api: Api, doctor: Actor, headers: dict[str, str], status: int, code: str
) -> None:
    """What is neither PDF nor JPEG is refused by its first bytes."""
    answer = await api.client.post(
        f"{DOCUMENTS}?category=other&file_name=a.zip",
        content=b"PK" * 100,
        headers={**api.by(doctor), **headers},
    )
    assert answer.status_code == status
    assert answer.json()["findings"][0]["code"] == code


@pytest.mark.parametrize("megabytes", [11, 300])
async def test_too_long_body_is_refused_before_reading(
    api: Api, doctor: Actor, megabytes: int
) -> None:
    """An announced length beyond the limit is answered at once, without waiting for the body."""
    headers = {
        **api.by(doctor),
        "Content-Type": "application/pdf",
        "Content-Length": str(megabytes << 20),
        "Host": "127.0.0.1",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    try:
        writer.write(f"POST {DOCUMENTS}?category=other HTTP/1.1\r\n{head}\r\n".encode())
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), PATIENCE)
    finally:
        writer.close()
    assert b" 413 " in answer


async def test_endless_body_is_cut_off(api: Api, doctor: Actor) -> None:
    """A body of unannounced length is counted, and cut off at the limit."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 400 << 20:
            sent += 1 << 20
            yield b"%PDF-1.7".ljust(1 << 20, b"\0")

    headers = {**api.by(doctor), "Content-Type": "application/pdf"}
    try:
        answer = await api.client.post(
            f"{DOCUMENTS}?category=other", content=endless(), headers=headers
        )
        assert answer.status_code == 413
    except httpx.WriteError:
        pass
    assert sent


async def test_other_routes_take_no_large_bodies(api: Api, doctor: Actor) -> None:
    """Where no file is expected a megabyte is the most, announced or not."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * 65536

    url = "/api/v1/applications"
    headers = {**api.by(doctor), "Content-Type": "application/json"}
    for content in (b" " * (2 << 20), endless()):
        answer = await api.client.post(url, content=content, headers=headers)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


async def test_new_version_and_putting_away(api: Api, doctor: Actor) -> None:
    """A newer file is version 2; a document put away is gone from the list."""
    document = (await api.give(doctor, s.born_digital("v1"))).json()
    newer = await api.client.post(
        f"{DOCUMENTS}/{document['id']}/versions?file_name=b.pdf",
        content=s.born_digital("v2"),
        headers={**api.by(doctor), "Content-Type": "application/pdf"},
    )
    assert newer.status_code == 201
    whole = (await api.client.get(f"{DOCUMENTS}/{document['id']}", headers=api.by(doctor))).json()
    assert whole["version"]["number"] == 2
    assert [old["number"] for old in whole["older"]] == [1]
    gone = await api.client.delete(f"{DOCUMENTS}/{document['id']}", headers=api.by(doctor))
    assert gone.status_code == 204
    assert (await api.client.get(DOCUMENTS, headers=api.by(doctor))).json()["items"] == []


@pytest.mark.asvs("3.2.1")
@pytest.mark.asvs("5.3.1")
@pytest.mark.asvs("5.4.1")
async def test_headers_keep_a_browser_from_running_anything(api: Api, doctor: Actor) -> None:
    """Files are saved, not shown; pictures are shown; neither may run or be kept (ASVS 5.4)."""
    version = (await api.give(doctor, s.born_digital("Headers"))).json()["version"]["id"]
    url = f"{DOCUMENTS}/versions/{version}"
    file = await api.client.get(f"{url}/file", headers=api.by(doctor))
    assert file.headers["content-disposition"] == (
        'attachment; filename="______ _1.pdf";'
        " filename*=UTF-8''%D0%94%D0%B8%D0%BF%D0%BB%D0%BE%D0%BC%20%E2%84%961.pdf"
    )
    page = await api.client.get(f"{url}/pages/1.png", headers=api.by(doctor))
    assert page.headers["content-type"] == "image/png"
    assert page.content.startswith(b"\x89PNG")
    assert page.headers["content-disposition"].startswith("inline")
    for answer in (file, page):
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["cache-control"] == "no-store, private"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-99", 206, 0, 99),
        ("bytes=100-", 206, 100, None),
        ("bytes=-50", 206, -50, None),
        ("bytes=0-", 200, 0, None),
        ("bytes=0-99999999", 200, 0, None),
        ("bytes=0-1,5-6", 200, 0, None),
        ("pages=1", 200, 0, None),
        ("bytes=99999999-", 416, 0, None),
        ("bytes=9-3", 416, 0, None),
        ("bytes=-0", 416, 0, None),
    ],
)
async def test_ranges(
    api: Api, doctor: Actor, asked: str, status: int, first: int, last: int | None
) -> None:
    """A part of a file is given where one was asked for; several parts are given as the whole."""
    content = s.pdf(pages=3)
    version = (await api.give(doctor, content)).json()["version"]["id"]
    answer = await api.client.get(
        f"{DOCUMENTS}/versions/{version}/file", headers={**api.by(doctor), "Range": asked}
    )
    assert answer.status_code == status
    if status == 206:
        start = first % len(content)
        end = len(content) - 1 if last is None else last
        assert answer.content == content[start : end + 1]
        assert answer.headers["content-range"] == f"bytes {start}-{end}/{len(content)}"
    elif status == 200:
        assert answer.content == content


async def test_range_of_a_changed_file_is_the_whole(api: Api, doctor: Actor) -> None:
    """With `If-Range` a part is given only of the very file that was begun."""
    content = s.pdf(pages=2)
    version = (await api.give(doctor, content)).json()["version"]["id"]
    url = f"{DOCUMENTS}/versions/{version}/file"
    tag = (await api.client.get(url, headers=api.by(doctor))).headers["etag"]
    for given, status in ((tag, 206), ('"other"', 200)):
        headers = {**api.by(doctor), "Range": "bytes=0-9", "If-Range": given}
        assert (await api.client.get(url, headers=headers)).status_code == status


async def test_others_find_nothing(api: Api, doctor: Actor, hospital: Hospital) -> None:
    """Nobody learns from the answers whether another's document exists (Q9)."""
    made = (await api.give(doctor, s.born_digital("Private"))).json()
    stranger = api.by(await hospital.person(Role.HR_REVIEWER))
    real, unreal = made["version"]["id"], uuid4()
    for version in (real, unreal):
        for path in ("file", "pages/1.png"):
            answer = await api.client.get(
                f"{DOCUMENTS}/versions/{version}/{path}", headers=stranger
            )
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    for document in (UUID(made["id"]), unreal):
        found: list[Any] = [
            await api.client.get(f"{DOCUMENTS}/{document}", headers=stranger),
            await api.client.delete(f"{DOCUMENTS}/{document}", headers=stranger),
        ]
        assert [answer.status_code for answer in found] == [404, 404]


async def test_categories_are_named_in_the_language_of_the_reader(api: Api, doctor: Actor) -> None:
    """Categories come with their titles."""
    answer = await api.client.get(f"{DOCUMENTS}/categories", headers=api.by(doctor))
    titles = {item["value"]: item["title"] for item in answer.json()}
    assert titles["workplace_reference"] == "Справка с места работы"
