"""Which key ring an installation uses, and the rings that a development installation makes."""

from pathlib import Path
from typing import Any

from services.gov_service.key_folder import KeyFolder
from services.gov_service.keys_gost import GostKeys
from services.gov_service.keys_standard import StandardKeys
from settings import ModuleCrypto, Settings

Keys = KeyFolder[Any]
_NAMES = {"standard": "", "gost": "-gost"}


def keys_of(settings: Settings) -> Keys:
    """The ring of this installation. Raises ModuleKeysError where GOST is set and not installed."""
    folder = settings.module_keys or our_folder(settings.home, settings.module_crypto)
    return keys_in(folder, settings.module_crypto, settings.module_keys_password.get_secret_value())


def keys_in(folder: Path, crypto: ModuleCrypto, password: str = "") -> Keys:
    """A ring of this cryptography."""
    return (GostKeys if crypto == "gost" else StandardKeys)(folder, password)


def our_folder(home: Path, crypto: ModuleCrypto = "standard") -> Path:
    """Where the ring of an installation is unless settings say otherwise."""
    return home / "module-keys" / f"medcab{_NAMES[crypto]}"


def gov_service_folder(home: Path, crypto: ModuleCrypto = "standard") -> Path:
    """Where the simulated module of a development installation keeps its own."""
    return home / "module-keys" / f"gov-service{_NAMES[crypto]}"


def ensure_key_folders(home: Path, crypto: ModuleCrypto = "standard") -> None:
    """Development: keys for both ends of the line, each with the other's certificates.

    Safe to repeat: what is there stays, and what was renewed meanwhile is handed over.
    """
    ours = keys_in(our_folder(home, crypto), crypto)
    modules = keys_in(gov_service_folder(home, crypto), crypto)
    for keys, name in ((ours, "Личный кабинет (тест)"), (modules, "Модуль госуслуг (тест)")):
        if not keys.ids():
            keys.use(keys.add(name, "Тестовая установка").id)
    for key in ours.key_ring().own:
        modules.trust(key.certificate)
    for key in modules.key_ring().own:
        ours.trust(key.certificate)
