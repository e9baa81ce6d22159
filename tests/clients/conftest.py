"""Clients of a real Temporal server: ours, and one without codec as any hand may use."""

import os

import pytest
from temporalio.client import Client

from clients.codec import data_converter
from models.encryption import KeyRing


@pytest.fixture(scope="session")
async def plain_client() -> Client:
    """A client that neither encrypts nor decrypts."""
    return await Client.connect(os.environ["TEMPORAL_ADDRESS"])


@pytest.fixture(scope="session")
async def temporal_client() -> Client:
    """Our client."""
    keys = KeyRing({"k1": bytes(range(32))})
    return await Client.connect(os.environ["TEMPORAL_ADDRESS"], data_converter=data_converter(keys))
