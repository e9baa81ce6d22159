"""The object store takes and gives streams, and says plainly when it cannot."""

import hashlib
import os
import tracemalloc
from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from minio import Minio, MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, S3Error
from pydantic import SecretStr

from clients.objects import (
    CutOffError,
    ObjectMissingError,
    Objects,
    ObjectsDownError,
)
from ops.local.buckets import make_account
from rules.clock import now
from settings import Settings
from tests.shared.servers import owner_of_objects

MEGABYTE = 1024 * 1024


async def in_pieces(content: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    """The content, piece by piece."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.parametrize("size", [0, 1, 65536, 3 * MEGABYTE + 7])
async def test_what_was_put_is_what_is_read(objects: Objects, size: int) -> None:
    """Bytes come back as they went in, with their size and SHA-256 told."""
    content, key = os.urandom(size), objects.fresh_key("tests")
    stored = await objects.put(key, in_pieces(content), size, "application/pdf")
    assert (stored.key, stored.size) == (key, size)
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    opened = await objects.open(key)
    assert opened.media_type == "application/pdf"
    assert opened.length == size
    assert b"".join([chunk async for chunk in opened.chunks()]) == content


async def test_range_is_read(objects: Objects) -> None:
    """A part of an object is read without the rest."""
    content, key = os.urandom(200_000), objects.fresh_key("tests")
    await objects.put(key, content, len(content), "image/jpeg")
    for first, last in ((0, 0), (5, 99_999), (199_999, None)):
        opened = await objects.open(key, first, last)
        wanted = content[first : None if last is None else last + 1]
        assert opened.length == len(wanted)
        assert b"".join([chunk async for chunk in opened.chunks()]) == wanted


@pytest.mark.parametrize("announced", [999, 1001])
async def test_source_of_another_length_leaves_nothing(objects: Objects, announced: int) -> None:
    """A body that is cut off, or longer than it said, is not stored."""
    key = objects.fresh_key("tests")
    with pytest.raises(CutOffError):
        await objects.put(key, in_pieces(bytes(1000)), announced, "application/pdf")
    with pytest.raises(ObjectMissingError):
        await objects.open(key)


async def test_failing_source_leaves_nothing(objects: Objects) -> None:
    """What the client's stream raises comes through, and nothing is stored."""

    async def broken() -> AsyncIterator[bytes]:
        yield bytes(70_000)
        raise EOFError("the client has gone")

    key = objects.fresh_key("tests")
    with pytest.raises(EOFError):
        await objects.put(key, broken(), 100_000, "application/pdf")
    with pytest.raises(ObjectMissingError):
        await objects.open(key)


async def test_body_is_not_held_in_memory(objects: Objects) -> None:
    """While 64 MB pass, far less than one part of them is ever held."""

    async def zeros() -> AsyncIterator[bytes]:
        for _ in range(1024):
            yield bytes(65536)

    key = objects.fresh_key("tests")
    tracemalloc.start()
    try:
        await objects.put(key, zeros(), 64 * MEGABYTE, "application/pdf")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        await objects.remove(key)
    assert peak < 4 * MEGABYTE


async def test_list_and_remove(objects: Objects) -> None:
    """Objects of a folder are listed, and removed; removing what is not there is no error."""
    folder = objects.fresh_key("tests")
    keys = [f"{folder}/{number}" for number in range(3)]
    for key in keys:
        await objects.put(key, b"x", 1, "application/pdf")
    assert [item.key async for item in objects.list(f"{folder}/")] == keys
    await objects.remove(*keys, f"{folder}/never")
    assert [item async for item in objects.list(f"{folder}/")] == []


async def test_small_object_is_read_whole(objects: Objects) -> None:
    """A small object is read at once, a larger one is refused."""
    key = objects.fresh_key("tests")
    await objects.put(key, b"act", 3, "application/pdf")
    assert await objects.read(key) == b"act"
    with pytest.raises(ValueError, match="too large"):
        await objects.read(key, at_most=2)


async def test_bucket_is_private(objects: Objects, settings: Settings) -> None:
    """Without our credentials nobody reads an object, even knowing its key."""
    key = objects.fresh_key("tests")
    await objects.put(key, b"secret", 6, "application/pdf")
    other = settings.model_copy(update={"s3_secret_key": SecretStr("not the secret at all")})
    stranger = Objects(other)
    try:
        with pytest.raises(ObjectsDownError):
            await stranger.read(key)
    finally:
        await stranger.close()


async def test_store_that_is_down_is_named(settings: Settings) -> None:
    """A store that cannot be reached is one typed error, in every method."""
    nowhere = Objects(settings.model_copy(update={"s3_endpoint": "http://127.0.0.1:9"}))
    try:
        with pytest.raises(ObjectsDownError):
            await nowhere.put("tests/x", b"x", 1, "application/pdf")
        with pytest.raises(ObjectsDownError):
            await nowhere.open("tests/x")
        with pytest.raises(ObjectsDownError):
            await nowhere.remove("tests/x")
        with pytest.raises(ObjectsDownError):
            await nowhere.ping()
        with pytest.raises(ObjectsDownError):
            [item async for item in nowhere.list("tests/")]
    finally:
        await nowhere.close()


async def test_bytes_are_encrypted_at_rest(objects: Objects, settings: Settings) -> None:
    """The store says of every object that it is encrypted (I10)."""
    key = objects.fresh_key("tests")
    await objects.put(key, b"secret", 6, "application/pdf")
    head = objects._admin.stat_object(objects.bucket, key)
    assert head.metadata is not None
    assert "x-amz-server-side-encryption" in {name.lower() for name in head.metadata}


def application(settings: Settings) -> Minio:
    """The store's own client with the rights of the application."""
    return Minio(
        urlsplit(settings.s3_endpoint).netloc,
        settings.s3_access_key.get_secret_value(),
        settings.s3_secret_key.get_secret_value(),
        secure=False,
    )


async def test_a_copy_of_a_seal_stays_whoever_asks(objects: Objects, settings: Settings) -> None:
    """Neither the application nor the administrator of the store can replace or remove it (I9)."""
    key = f"seals/{uuid4()}.json"
    await objects.put(key, b"first", 5, "application/json")
    await objects.put(key, b"other", 5, "application/json")
    ours, theirs = application(settings), owner_of_objects(settings)
    with pytest.raises(S3Error, match="AccessDenied"):
        ours.remove_object(settings.s3_locked_bucket, key)
    versions = list(theirs.list_objects(settings.s3_locked_bucket, key, include_version=True))
    first = min(versions, key=lambda one: one.last_modified or now())
    assert len(versions) == 2
    with pytest.raises(S3Error, match="WORM"):
        theirs.remove_object(settings.s3_locked_bucket, key, version_id=first.version_id)
    kept = theirs.get_object(settings.s3_locked_bucket, key, version_id=first.version_id)
    assert kept.read() == b"first"


async def test_the_application_is_no_administrator_of_the_store(settings: Settings) -> None:
    """Its account makes no buckets and no accounts, and changes no rules of theirs."""
    ours = application(settings)
    with pytest.raises(S3Error, match="AccessDenied"):
        ours.make_bucket(f"own-{uuid4()}")
    with pytest.raises(S3Error, match="AccessDenied"):
        ours.delete_object_lock_config(settings.s3_locked_bucket)
    admin = MinioAdmin(
        endpoint=urlsplit(settings.s3_endpoint).netloc,
        credentials=StaticProvider(
            settings.s3_access_key.get_secret_value(), settings.s3_secret_key.get_secret_value()
        ),
        secure=False,
    )
    with pytest.raises(MinioAdminException, match="AccessDenied"):
        admin.user_list()


async def test_the_account_is_given_its_password_where_it_has_another(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password that the store knows is not sent again: each makes it keep 64 MiB for good."""
    own = settings.model_copy(update={"s3_access_key": SecretStr(f"account-{uuid4()}")})
    for password in ("the first password", "the second password"):
        own = own.model_copy(update={"s3_secret_key": SecretStr(password)})
        make_account(own)
        assert application(own).bucket_exists(own.s3_bucket)
    monkeypatch.delattr(MinioAdmin, "user_add")
    make_account(own)
    assert application(own).bucket_exists(own.s3_bucket)
