"""The key ring that an installation uses, and the rings of a development installation."""

from pathlib import Path
from typing import Any

from services.gov_service.key_folder import KeyFolder
from services.gov_service.keys_gost import GostKeys
from services.gov_service.keys_standard import StandardKeys
from settings import ModuleCrypto, Settings

Keys = KeyFolder[Any]
_NAMES = {"standard": "", "gost": "-gost"}


def keys_of(settings: Settings) -> Keys:
    """The key ring of this installation.

    Raises GovServiceKeysError if GOST is set but not installed.
    """
    folder = settings.module_keys or our_folder(settings.home, settings.module_crypto)
    return keys_in(folder, settings.module_crypto, settings.module_keys_password.get_secret_value())


def keys_in(folder: Path, crypto: ModuleCrypto, password: str = "") -> Keys:
    """A ring of this cryptography."""
    return (GostKeys if crypto == "gost" else StandardKeys)(folder, password)


def our_folder(home: Path, crypto: ModuleCrypto = "standard") -> Path:
    """The default folder of an installation's ring."""
    return home / "module-keys" / f"medcab{_NAMES[crypto]}"


def gov_service_folder(home: Path, crypto: ModuleCrypto = "standard") -> Path:
    """The folder of the ring of a development installation's simulated gov service."""
    return home / "module-keys" / f"gov-service{_NAMES[crypto]}"


def ensure_key_folders(home: Path, crypto: ModuleCrypto = "standard") -> None:
    """For development: create keys of both parties, each with the other's certificates.

    Safe to repeat: existing keys stay, and renewed ones are given to the other party.
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
