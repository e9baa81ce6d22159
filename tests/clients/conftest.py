"""Clients of a real Temporal server: ours, and one without codec as any hand may use."""

import pytest
from temporalio.client import Client

from clients.payload_codec import data_converter
from crypto.key_ring import KeyRing
from tests.shared.servers import Servers


@pytest.fixture(scope="session")
async def plain_client(servers: Servers) -> Client:
    """A client that neither encrypts nor decrypts."""
    return await Client.connect(servers.environment["TEMPORAL_ADDRESS"])


@pytest.fixture(scope="session")
async def temporal_client(servers: Servers) -> Client:
    """Our client."""
    keys = KeyRing({"k1": bytes(range(32))})
    return await Client.connect(
        servers.environment["TEMPORAL_ADDRESS"], data_converter=data_converter(keys)
    )
