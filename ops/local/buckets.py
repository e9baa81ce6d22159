"""The buckets of an installation, and what its account may do in them.

The administrator of the store makes both buckets and the account; only `medcab migrate` acts as the
administrator. The account may read, write and remove objects, and nothing else. In the locked
bucket, which holds copies of the checkpoints, it may remove nothing, and the store itself lets
nobody replace or remove an object before its years are over.
"""

from typing import Any
from urllib.parse import urlsplit

from minio import Minio, MinioAdmin
from minio.commonconfig import COMPLIANCE
from minio.credentials.providers import StaticProvider
from minio.error import S3Error
from minio.objectlockconfig import YEARS, ObjectLockConfig

from settings import Settings, get_settings

LOCKED_YEARS = 10
"""For how long a copy of a checkpoint cannot be removed."""

_POLICY = "medcab"
_MAY = ("GetObject", "PutObject", "DeleteObject", "ListBucket", "GetBucketLocation")


def prepare_buckets(settings: Settings) -> None:
    """Make both buckets, and the account of the application where an administrator is named.

    Safe to repeat. Without an administrator the account makes the buckets itself.
    """
    client = Minio(secure=_secure(settings), **_as_owner(settings))
    if not client.bucket_exists(settings.s3_bucket):
        client.make_bucket(settings.s3_bucket)
    if not client.bucket_exists(settings.s3_locked_bucket):
        client.make_bucket(settings.s3_locked_bucket, object_lock=True)
        years = ObjectLockConfig(COMPLIANCE, LOCKED_YEARS, YEARS)
        client.set_object_lock_config(settings.s3_locked_bucket, years)
    if settings.s3_owner_access_key.get_secret_value():
        make_account(settings)


def make_account(settings: Settings) -> None:
    """Make the account of the application with its policy. Safe to repeat."""
    admin = MinioAdmin(
        endpoint=urlsplit(settings.s3_endpoint).netloc,
        credentials=StaticProvider(*_keys(settings)),
        secure=_secure(settings),
    )
    account, password = settings.s3_keys
    admin.policy_add(_POLICY, policy=policy())
    if not _signs_in(settings):
        admin.user_add(account, password)
    admin.policy_set(_POLICY, user=account)


def _signs_in(settings: Settings) -> bool:
    """Whether the account is there with this password.

    For each that is sent to it the store derives a key in 64 MiB, which it does not give back.
    """
    account = Minio(
        urlsplit(settings.s3_endpoint).netloc,
        *settings.s3_keys,
        secure=_secure(settings),
    )
    try:
        return account.bucket_exists(settings.s3_bucket)
    except S3Error:
        return False


def policy() -> dict[str, Any]:
    """What the account of the application may do."""
    everywhere = "arn:aws:s3:::*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [f"s3:{one}" for one in _MAY],
                "Resource": [everywhere],
            },
            {
                "Effect": "Deny",
                "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
                "Resource": [f"{everywhere}-locked/*"],
            },
        ],
    }


def _keys(settings: Settings) -> tuple[str, str]:
    owner = settings.s3_owner_access_key.get_secret_value()
    if owner:
        return owner, settings.s3_owner_secret_key.get_secret_value()
    return settings.s3_keys


def _as_owner(settings: Settings) -> dict[str, Any]:
    access, secret = _keys(settings)
    return {
        "endpoint": urlsplit(settings.s3_endpoint).netloc,
        "access_key": access,
        "secret_key": secret,
    }


def _secure(settings: Settings) -> bool:
    return urlsplit(settings.s3_endpoint).scheme == "https"


if __name__ == "__main__":
    make_account(get_settings())
