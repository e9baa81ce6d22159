"""The key ring of the line to the gov-service module: our keys, and the module's certificates.

A ring is a folder. `own/` holds our keys as `k1.p12`, `k2.p12` …, `own/current` names the one that
signs; all of them open what was sealed for them. `theirs/` holds certificates of the other side:
each may have signed what comes, and what goes out is sealed for all of them that are valid. So
either side renews its key without a moment agreed to the second: `medcab module-keys`.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from services.seals import SealError, fingerprint, fitting, keep_certificate, kept_certificates
from services.signatures import CmsSigner, SealKey
from settings import Settings

OWN, THEIRS, CURRENT = "own", "theirs", "current"
LIFE = timedelta(days=2 * 365)
_ID = re.compile(r"k([1-9][0-9]{0,5})")
_LEAST_RSA = 2048


class ModuleKeysError(Exception):
    """The ring lacks something or cannot be read; the message says the remedy."""


@dataclass(frozen=True)
class ModuleKey:
    """One of our keys: it signs, and opens what was sealed for its certificate."""

    id: str
    key: SealKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @cached_property
    def signer(self) -> CmsSigner:
        """What signs with it."""
        return CmsSigner(self.key, self.certificate, self.chain)

    def valid(self, at: datetime) -> bool:
        """Whether its certificate is in force."""
        return in_force(self.certificate, at)


@dataclass(frozen=True)
class Ring:
    """A ring as it was read. `own` is newest first."""

    own: tuple[ModuleKey, ...]
    current: str
    theirs: tuple[x509.Certificate, ...]

    @property
    def signing(self) -> ModuleKey:
        """The key that signs now."""
        return next(key for key in self.own if key.id == self.current)


def in_force(certificate: x509.Certificate, at: datetime) -> bool:
    """Whether a moment lies within the certificate's term."""
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


class ModuleKeys:
    """The ring in a folder. What another process changes there is seen by the next `ring()`."""

    def __init__(self, folder: Path, password: str = "") -> None:
        self.folder = folder
        self._password = password
        self._seen: tuple[object, ...] = ()
        self._ring: Ring | None = None

    @classmethod
    def of(cls, settings: Settings) -> "ModuleKeys":
        """The ring of this installation."""
        return cls(
            settings.module_keys or our_folder(settings.home),
            settings.module_keys_password.get_secret_value(),
        )

    def ring(self) -> Ring:
        """The ring as it is now. Raises ModuleKeysError with the remedy."""
        seen = tuple(_changes(self.folder))
        if self._ring is None or seen != self._seen:
            self._ring, self._seen = self._read(), seen
        return self._ring

    def _read(self) -> Ring:
        own = tuple(
            _read_key(self.folder / OWN / f"{id_}.p12", self._password) for id_ in _ids(self.folder)
        )
        if not own:
            raise ModuleKeysError(
                f"no key in {self.folder / OWN}: `medcab module-keys rotate` makes or takes one"
            )
        try:
            current = (self.folder / OWN / CURRENT).read_text("ascii").strip()
        except OSError:
            current = own[-1].id
        if current not in {key.id for key in own}:
            raise ModuleKeysError(f"{self.folder / OWN / CURRENT} names {current}, which is gone")
        try:
            theirs = tuple(kept_certificates(self.folder / THEIRS))
        except SealError as error:
            raise ModuleKeysError(str(error)) from error
        return Ring(own, current, theirs)

    def add(self, name: str, organisation: str) -> ModuleKey:
        """A new key with a certificate of its own making; it signs once it is `use`d."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._keep(key, self_signed(key, name, organisation), ())

    def take(self, file: Path, password: str) -> ModuleKey:
        """A key that an authority certified, out of PKCS#12; it signs once it is `use`d."""
        found = _read_key(file, password)
        return self._keep(found.key, found.certificate, found.chain)

    def use(self, id_: str) -> None:
        """Sign with this key from now on. Raises ModuleKeysError where there is none."""
        if id_ not in _ids(self.folder):
            raise ModuleKeysError(f"there is no key {id_} in {self.folder / OWN}")
        with _draft(self.folder / OWN, id_.encode()) as draft:
            draft.replace(self.folder / OWN / CURRENT)

    def retire(self, id_: str) -> None:
        """Remove a key: what was sealed for it alone can never be opened again."""
        if id_ == self.ring().current:
            raise ModuleKeysError(f"{id_} signs now: use another key first")
        if id_ not in _ids(self.folder):
            raise ModuleKeysError(f"there is no key {id_} in {self.folder / OWN}")
        (self.folder / OWN / f"{id_}.p12").unlink()

    def trust(self, certificate: x509.Certificate) -> None:
        """Take in a certificate of the other side. Raises ModuleKeysError for an odd key."""
        _suitable(certificate.public_key(), "the certificate")
        keep_certificate(self.folder / THEIRS, certificate)

    def distrust(self, begins: str) -> int:
        """Forget their certificates whose fingerprint begins so; how many there were."""
        found = [
            file
            for file in (self.folder / THEIRS).glob("*.pem")
            if begins and file.stem.startswith(begins.lower())
        ]
        for file in found:
            file.unlink()
        return len(found)

    def _keep(
        self, key: SealKey, certificate: x509.Certificate, chain: tuple[x509.Certificate, ...]
    ) -> ModuleKey:
        secret = self._password.encode()
        packed = pkcs12.serialize_key_and_certificates(
            b"medcab",
            key,
            certificate,
            list(chain) or None,
            serialization.BestAvailableEncryption(secret)
            if secret
            else serialization.NoEncryption(),
        )
        own = self.folder / OWN
        own.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _draft(own, packed) as draft:
            for _ in range(100):
                id_ = f"k{max((_number(each) for each in _ids(self.folder)), default=0) + 1}"
                try:
                    os.link(draft, own / f"{id_}.p12")
                except FileExistsError:
                    continue
                return ModuleKey(id_, key, certificate, chain)
        raise ModuleKeysError(f"no key could be added in {own}")


def our_folder(home: Path) -> Path:
    """Where the ring of an installation is unless settings say otherwise."""
    return home / "module-keys" / "medcab"


def modules_folder(home: Path) -> Path:
    """Where the simulated module of a development installation keeps its own."""
    return home / "module-keys" / "gov-service"


def ensure_rings(home: Path) -> None:
    """Development: keys for both ends of the line, each with the other's certificates.

    Safe to repeat: what is there stays, and what was renewed meanwhile is handed over.
    """
    ours, modules = ModuleKeys(our_folder(home)), ModuleKeys(modules_folder(home))
    for keys, name in ((ours, "Личный кабинет (тест)"), (modules, "Модуль госуслуг (тест)")):
        if not _ids(keys.folder):
            keys.use(keys.add(name, "Тестовая установка").id)
    for key in ours.ring().own:
        modules.trust(key.certificate)
    for key in modules.ring().own:
        ours.trust(key.certificate)


def self_signed(key: ec.EllipticCurvePrivateKey, name: str, organisation: str) -> x509.Certificate:
    """Self-signed, for signatures and key agreement."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, fitting(name)),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, fitting(organisation)),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "RU"),
        ]
    )
    start = datetime.now(UTC) - timedelta(minutes=5)
    others = ("key_encipherment", "data_encipherment", "key_cert_sign", "crl_sign")
    usage = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=True, key_agreement=True, **usage
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _read_key(file: Path, password: str) -> ModuleKey:
    try:
        key, certificate, chain = pkcs12.load_key_and_certificates(
            file.read_bytes(), password.encode() or None
        )
    except (OSError, ValueError) as error:
        raise ModuleKeysError(f"the key {file} cannot be read: {error}") from error
    if certificate is None or not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ModuleKeysError(f"the key {file} must be ECDSA or RSA, with its certificate")
    _suitable(key.public_key(), str(file))
    return ModuleKey(file.stem, key, certificate, tuple(chain))


def _suitable(public: object, what: str) -> None:
    if isinstance(public, ec.EllipticCurvePublicKey):
        return
    if not isinstance(public, rsa.RSAPublicKey) or public.key_size < _LEAST_RSA:
        raise ModuleKeysError(f"{what} must hold an elliptic curve key, or RSA of 2048 bits")


def _number(id_: str) -> int:
    return int(id_[1:])


def _ids(folder: Path) -> list[str]:
    """The keys of a ring, newest first."""
    found = (file.stem for file in (folder / OWN).glob("*.p12") if _ID.fullmatch(file.stem))
    return sorted(found, key=_number, reverse=True)


def _changes(folder: Path) -> Iterator[object]:
    """What differs when the ring has changed."""
    for place in (folder / OWN, folder / THEIRS, folder / OWN / CURRENT):
        try:
            yield place.stat().st_mtime_ns
        except OSError:
            yield None


class _draft:  # noqa: N801 - used as a statement
    """A private file beside its place, gone at the end unless it was put there."""

    def __init__(self, folder: Path, content: bytes) -> None:
        number, name = tempfile.mkstemp(dir=folder, prefix=".")
        self.path = Path(name)
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.path.unlink(missing_ok=True)


def described(keys: ModuleKeys) -> Iterator[tuple[str, str, str, datetime]]:
    """For people: whose key, its id or fingerprint, what it does, until when it is valid."""
    ring = keys.ring()
    for key in ring.own:
        newer = _number(key.id) > _number(ring.current)
        state = "signs" if key.id == ring.current else "announced" if newer else "opens only"
        yield "ours", key.id, state, key.certificate.not_valid_after_utc
    for one in ring.theirs:
        yield "theirs", fingerprint(one)[:32], "trusted", one.not_valid_after_utc
