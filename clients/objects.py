"""The client of the object store: the only place that knows which S3 server it is.

Bodies are streamed in both directions over one pool of connections, and never held in memory as a
whole. One PUT carries an object of any size that Medcab accepts, so there are no multipart uploads
to buffer. Buckets, lists and removals use the store's own client, in a thread.
"""

import asyncio
import base64
import hashlib
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from typing import TypeVar
from urllib.parse import SplitResult, quote, urlsplit

import httpx
import urllib3
from minio import Minio
from minio.credentials.credentials import Credentials
from minio.deleteobjects import DeleteObject
from minio.error import MinioException
from minio.signer import sign_v4_s3

from clients.object_uploads import UploadBrokenError, Uploads
from settings import Settings

T = TypeVar("T")

CHUNK = 256 * 1024
_REGION = "us-east-1"
_CONNECT_SECONDS = 3.0
_SILENCE_SECONDS = 15.0
_PAGE = 1000


class ObjectsDownError(RuntimeError):
    """The object store cannot be reached, is full, or denies access: try again later."""


class ObjectMissingError(LookupError):
    """There is no object of that key."""


class CutOffError(ValueError):
    """The source gave fewer or more bytes than announced. Nothing was stored."""


@dataclass(frozen=True)
class Stored:
    """What was stored: the key, the size in bytes, and the SHA-256 of the bytes in hexadecimal."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Listed:
    """An object as a list shows it."""

    key: str
    size: int
    modified: datetime


class ObjectStream:
    """An object that is being read. Iterate `chunks` to the end, or call `close`."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.media_type = response.headers.get("content-type", "application/octet-stream")
        self.length = int(response.headers["content-length"])

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes in order. Raises ObjectsDownError if the store falls silent half-way."""
        try:
            async for chunk in self._response.aiter_raw(CHUNK):
                yield chunk
        except httpx.TransportError as error:
            raise ObjectsDownError("reading stopped half-way") from error
        finally:
            await self.close()

    async def close(self) -> None:
        """Release the connection."""
        await self._response.aclose()


class _Signature(httpx.Auth):
    """AWS Signature Version 4 in the headers; it does not cover the body, which is streamed."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign each request when it is sent."""
        url = urlsplit(str(request.url))
        request.headers.update(self.headers(request.method, url, request.headers["host"]))
        yield request

    def headers(self, method: str, url: SplitResult, host: str) -> dict[str, str]:
        """The headers that sign a request."""
        at = datetime.now(UTC)
        unsigned = "UNSIGNED-PAYLOAD"
        headers: dict[str, str | list[str] | tuple[str]] = {
            "Host": host,
            "x-amz-content-sha256": unsigned,
            "x-amz-date": at.strftime("%Y%m%dT%H%M%SZ"),
        }
        signed = sign_v4_s3(
            method=method,
            url=url,
            region=_REGION,
            headers=dict(headers),
            credentials=self._credentials,
            content_sha256=unsigned,
            date=at,
        )
        return {name: str(value) for name, value in {**headers, **signed}.items()}


LOCKED = "seals/"
"""Objects of this folder have a bucket of their own.

In it nothing can be replaced or removed for years: see `ops.local.buckets`.
"""


class Objects:
    """The buckets of this installation. Keys are random: see `fresh_key`.

    Every method raises ObjectsDownError if the store does not answer as it should; making one
    raises MissingSettingError without the keys of its account.
    """

    def __init__(self, settings: Settings) -> None:
        endpoint = urlsplit(settings.s3_endpoint)
        access, secret = settings.s3_keys
        self.bucket = settings.s3_bucket
        self._locked = settings.s3_locked_bucket
        self._base = settings.s3_endpoint.rstrip("/")
        self._signature = _Signature(Credentials(access, secret))
        self._uploads = Uploads(settings.s3_endpoint)
        self._http = httpx.AsyncClient(
            auth=self._signature,
            timeout=httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS),
            limits=httpx.Limits(
                max_connections=64, max_keepalive_connections=16, keepalive_expiry=20
            ),
            trust_env=False,
        )
        self._admin = Minio(
            endpoint.netloc,
            access,
            secret,
            secure=endpoint.scheme == "https",
            region=_REGION,
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_SILENCE_SECONDS),
                retries=urllib3.Retry(total=1, backoff_factor=0.2),
                maxsize=4,
            ),
        )

    async def close(self) -> None:
        """Close the connections."""
        self._uploads.close()
        await self._http.aclose()

    @staticmethod
    def fresh_key(folder: str) -> str:
        """A key that nobody can guess: the folder and 128 random bits."""
        return f"{folder}/{secrets.token_hex(16)}"

    async def ping(self) -> None:
        """Return if the store answers and has the bucket; otherwise raise ObjectsDownError."""
        if not await self._in_thread(lambda: self._admin.bucket_exists(bucket_name=self.bucket)):
            raise ObjectsDownError("the bucket is missing")

    async def put(
        self, key: str, source: bytes | AsyncIterable[bytes], size: int, media_type: str
    ) -> Stored:
        """Store `size` bytes as they come, hashing them on the way.

        Raises CutOffError if the source is shorter or longer, and whatever the source raises; in
        each case nothing is stored.
        """
        counted = _Counted(source, size)
        url = urlsplit(self._url(key))
        signed = self._signature.headers("PUT", url, url.netloc)
        headers = {"Content-Length": str(size), "Content-Type": media_type}
        if key.startswith(LOCKED) and isinstance(source, bytes):
            # S3 accepts nothing into a locked bucket without it.
            digest = hashlib.md5(source, usedforsecurity=False).digest()
            headers["Content-MD5"] = base64.b64encode(digest).decode()
        try:
            status = await self._uploads.put(url, {**signed, **headers}, counted)
        except UploadBrokenError as error:
            raise ObjectsDownError("storing failed") from error
        _expect(status)
        return Stored(key, size, counted.digest.hexdigest())

    async def open(self, key: str, first: int = 0, last: int | None = None) -> ObjectStream:
        """Open an object for reading, from byte `first` to byte `last`, both included.

        Raises ObjectMissingError.
        """
        ranged = first > 0 or last is not None
        end = "" if last is None else str(last)
        request = self._http.build_request(
            "GET",
            self._url(key),
            headers={"Range": f"bytes={first}-{end}"} if ranged else {},
        )
        try:
            response = await self._http.send(request, stream=True)
        except httpx.TransportError as error:
            raise ObjectsDownError("reading failed") from error
        try:
            _expect(response.status_code)
            return ObjectStream(response)
        except BaseException:
            await response.aclose()
            raise

    async def read(self, key: str, at_most: int = 32 * 1024 * 1024) -> bytes:
        """A small object as a whole. Raises ObjectMissingError, and ValueError if it is larger."""
        opened = await self.open(key)
        if opened.length > at_most:
            await opened.close()
            raise ValueError("the object is too large to be read as a whole")
        return b"".join([chunk async for chunk in opened.chunks()])

    async def remove(self, *keys: str) -> None:
        """Remove objects, none of them locked; a missing one is no error."""
        await self._in_thread(lambda: self._remove(keys))

    async def list(self, prefix: str = "") -> AsyncIterator[Listed]:
        """All objects whose keys begin with `prefix`, in the order of their keys."""
        buckets = [self._bucket_of(prefix)] if prefix else [self.bucket, self._locked]
        found = chain.from_iterable(
            self._admin.list_objects(bucket, prefix=prefix, recursive=True) for bucket in buckets
        )
        while page := await self._in_thread(lambda: list(islice(found, _PAGE))):
            for item in page:
                if item.object_name and item.last_modified is not None:
                    yield Listed(item.object_name, item.size or 0, item.last_modified)

    def _bucket_of(self, key: str) -> str:
        return self._locked if key.startswith(LOCKED) else self.bucket

    def _url(self, key: str) -> str:
        return f"{self._base}/{self._bucket_of(key)}/{quote(key, safe='/')}"

    def _remove(self, keys: Iterable[str]) -> None:
        failed = list(self._admin.remove_objects(self.bucket, [DeleteObject(k) for k in keys]))
        if failed:
            raise ObjectsDownError(f"{len(failed)} objects could not be removed")

    @staticmethod
    async def _in_thread(work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            raise ObjectsDownError(type(error).__name__) from error


class _Counted:
    """A source that is hashed as it is read, and must have the size that was announced."""

    def __init__(self, source: bytes | AsyncIterable[bytes], size: int) -> None:
        self.digest = hashlib.sha256()
        self._source = source
        self._size = size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        passed = 0
        async for chunk in self._pieces():
            passed += len(chunk)
            if passed > self._size:
                raise CutOffError(f"more than {self._size} bytes")
            self.digest.update(chunk)
            yield chunk
        if passed < self._size:
            raise CutOffError(f"{passed} of {self._size} bytes")

    async def _pieces(self) -> AsyncIterator[bytes]:
        if isinstance(self._source, bytes):
            view = memoryview(self._source)
            for start in range(0, len(view), CHUNK):
                yield bytes(view[start : start + CHUNK])
            return
        async for chunk in self._source:
            if chunk:
                yield chunk


def _expect(status: int) -> None:
    """Return on success, otherwise raise.

    The body of an error is not passed on: it contains keys.
    """
    if status == 404:
        raise ObjectMissingError("no such object")
    if not 200 <= status < 300:
        raise ObjectsDownError(f"the object store answered {status}")
