"""Bring database, Temporal namespace and bucket to what this version needs. Safe to repeat."""

import asyncio
from urllib.parse import urlsplit

from alembic import command
from alembic.config import Config
from minio import Minio

from ops.home import CHECKOUT
from ops.servers.temporal import prepare_namespace
from settings import Settings


def migrate(settings: Settings) -> None:
    """All three, the tables as their owner."""
    migrate_database(settings)
    asyncio.run(prepare_namespace(settings.temporal_address, settings.temporal_namespace))
    make_bucket(settings)


def migrate_database(settings: Settings) -> None:
    """Run the migrations that are still to run."""
    url = settings.database_owner_url or settings.database_url
    config = Config()
    config.set_main_option("script_location", str(CHECKOUT / "models" / "migrations"))
    config.set_main_option("sqlalchemy.url", url.get_secret_value().replace("%", "%%"))
    config.attributes["settings"] = settings
    command.upgrade(config, "head")


def make_bucket(settings: Settings) -> None:
    """Have the bucket; it is private unless told otherwise."""
    endpoint = urlsplit(settings.s3_endpoint)
    client = Minio(
        endpoint.netloc,
        settings.s3_access_key.get_secret_value(),
        settings.s3_secret_key.get_secret_value(),
        secure=endpoint.scheme == "https",
    )
    if not client.bucket_exists(settings.s3_bucket):
        client.make_bucket(settings.s3_bucket)
