"""The act of enrolment: what stands on it, that it is PDF/A, and that its signature holds (A5)."""

import asyncio
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2  # type: ignore[import-untyped]
import pytest
import zxingcpp
from asn1crypto import cms  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from crypto.certificates import as_pem
from crypto.cms_signatures import SignatureError, check_signature
from services.applications.enrolment_certificate import (
    ActFacts,
    SealFacts,
    build_act,
    code_hash,
    code_url,
    new_code,
    read_code,
)
from services.papers.typesetting import PAPERS
from services.seal import FileSeal, SealError, ensure_test_seal, open_seal
from settings import Settings
from tests.papers.reading import words
from tests.papers.samples import act_facts


@pytest.fixture(scope="module")
def seal(tmp_path_factory: pytest.TempPathFactory) -> FileSeal:
    """The test seal of a fresh installation."""
    home = tmp_path_factory.mktemp("home")
    return FileSeal.read(ensure_test_seal(home, "Городская клиническая больница № 7"))


@pytest.fixture(scope="module")
def facts(seal: FileSeal) -> ActFacts:
    """An ordinary act."""
    return act_facts(SealFacts.of(seal))


@pytest.fixture(scope="module")
def signed(facts: ActFacts, seal: FileSeal) -> bytes:
    """The act with its signature."""
    return seal.sign_pdf(build_act(facts), reason="Акт о зачислении")


def byte_range(pdf: bytes) -> list[int]:
    """The four numbers of the one signature: where what is signed begins, and how long it is."""
    (found,) = re.findall(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]", pdf)
    return [int(number) for number in found]


def parts(pdf: bytes) -> tuple[bytes, bytes]:
    """What the signature covers, and the CMS, found without the library that made them."""
    start, length, again, rest = byte_range(pdf)
    assert start == 0
    assert again + rest == len(pdf), "the signature does not cover the end of the file"
    gap = pdf[length:again]
    assert gap[:1] + gap[-1:] == b"<>"
    padded = bytes.fromhex(gap[1:-1].decode())
    size = int.from_bytes(padded[2:4], "big") + 4
    return pdf[:length] + pdf[again:], padded[:size]


def openssl(
    pdf: bytes, certificate: x509.Certificate, folder: Path
) -> subprocess.CompletedProcess[str]:
    """What openssl says of the signature."""
    content, signature = parts(pdf)
    for name, data in (
        ("content", content),
        ("cms", signature),
        ("seal.pem", as_pem(certificate).encode()),
    ):
        (folder / name).write_bytes(data)
    verify = [
        "openssl",
        "cms",
        "-verify",
        "-binary",
        "-inform",
        "DER",
        "-in",
        "cms",
        "-content",
        "content",
    ]
    trust = ["-CAfile", "seal.pem", "-partial_chain", "-out", "checked"]
    return subprocess.run(
        [*verify, *trust], cwd=folder, capture_output=True, text=True, check=False
    )


def test_everything_stands_on_the_page(facts: ActFacts) -> None:
    """Number, date, person, programme, decision, certificate and how to check it."""
    text = words(build_act(facts))
    for said in (
        facts.institution,
        "№ АЗ-2026-000123-4",
        "4 декабря 2026 г.",
        "Акт о зачислении",
        facts.person,
        facts.position,
        facts.unit,
        facts.programme,
        facts.kind,
        "144 академических часа",
        facts.organiser,
        "14 декабря 2026 г.",
        "Заявка № ПК-2026-000123-0 от 1 декабря 2026 г.",
        facts.decided_by,
        "4 декабря 2026 г., 16:04 (UTC+3)",
        "Тестовая печать: юридической силы не имеет",
        "cabinet.example/verify Код: 7K3M",
        "7K3M Q9X2 T5VJ 8B4N RC6W 1ZD0 HE",
    ):
        assert said in text, said


def test_the_same_facts_give_the_same_bytes(facts: ActFacts) -> None:
    """An act is made anew after a crash without a second truth."""
    assert build_act(facts) == build_act(replace(facts))
    assert build_act(facts) != build_act(replace(facts, hours=36))


def test_text_is_never_markup(facts: ActFacts) -> None:
    """What people wrote is set as it stands."""
    odd = '#panic("x") *жирно* $x^2$ <метка> // \\ [скобки] "кавычки"'
    assert odd in words(build_act(replace(facts, programme=odd)))


def test_long_names_do_not_break_the_page(facts: ActFacts) -> None:
    """Everything still stands there, on two pages at most."""
    long = "Профилактика, диагностика и лечение " * 12
    pdf = build_act(replace(facts, programme=long, unit=long, organiser=long, institution=long))
    assert len(pypdfium2.PdfDocument(pdf)) <= 2
    assert facts.decided_by in words(pdf)


def test_without_a_start_there_is_no_such_line(facts: ActFacts) -> None:
    """A programme that starts at any time says nothing about it."""
    assert "Начало обучения" not in words(build_act(replace(facts, starts_on=None)))


@pytest.mark.parametrize(
    ("hours", "said"), [(1, "час"), (22, "часа"), (36, "часов"), (111, "часов")]
)
def test_hours_are_declined(facts: ActFacts, hours: int, said: str) -> None:
    """The word follows the number."""
    assert re.search(
        rf"\b{hours} академическ\w+ {said}\b", words(build_act(replace(facts, hours=hours)))
    )


def test_it_claims_pdf_a_and_is_tagged(signed: bytes) -> None:
    """PDF/A-2a with a title, a language, an output intent, and every font inside."""
    with pikepdf.open(BytesIO(signed)) as pdf:
        with pdf.open_metadata() as metadata:
            assert metadata.pdfa_status == "2A"
        assert str(pdf.Root.Lang) == "ru"
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.OutputIntents[0].S == "/GTS_PDFA1"
        assert str(pdf.docinfo["/Title"]) == "Акт о зачислении № АЗ-2026-000123-4"
        descriptors = [
            one
            for one in pdf.objects
            if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/FontDescriptor"
        ]
        assert len(descriptors) >= 3
        assert all("/FontFile2" in one or "/FontFile3" in one for one in descriptors)
        names = {str(one.FontName) for one in descriptors}
        assert all("PTSerif" in name or "PTSans" in name for name in names), names


def test_openssl_verifies_the_signature(signed: bytes, seal: FileSeal, tmp_path: Path) -> None:
    """An independent tool, on bytes cut out of the file by hand."""
    said = openssl(signed, seal.certificate, tmp_path)
    assert "CMS Verification successful" in said.stderr


@pytest.mark.parametrize("place", [0.01, 0.3, 0.9, 0.999])
def test_a_changed_act_does_not_verify(
    signed: bytes, seal: FileSeal, tmp_path: Path, place: float
) -> None:
    """One bit, before or behind the signature."""
    _, length, again, rest = map(
        int, re.findall(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]", signed)[0]
    )
    covered = [*range(length), *range(again, again + rest)]
    spot = covered[int(len(covered) * place)]
    changed = signed[:spot] + bytes([signed[spot] ^ 1]) + signed[spot + 1 :]
    try:
        said = openssl(changed, seal.certificate, tmp_path)
    except (ValueError, AssertionError):
        return
    assert said.returncode != 0
    assert "Verification failure" in said.stderr


def test_signing_keeps_what_was_there(facts: ActFacts, signed: bytes) -> None:
    """The signature is appended; the act itself is byte for byte the same."""
    assert signed.startswith(build_act(facts))


def test_poppler_verifies_the_signature(signed: bytes, tmp_path: Path) -> None:
    """A second independent tool, where it is installed."""
    if not shutil.which("pdfsig"):
        pytest.skip("pdfsig is not installed (Debian: poppler-utils)")
    (tmp_path / "act.pdf").write_bytes(signed)
    said = subprocess.run(
        ["pdfsig", "-nocert", "act.pdf"], cwd=tmp_path, capture_output=True, text=True, check=False
    ).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said
    assert "Тестовая печать" in said


def test_the_signature_is_pades(signed: bytes) -> None:
    """Signed attributes name the certificate and no time: the PDF states it (EN 319 142-1, 6.3)."""
    (signer,) = cms.ContentInfo.load(parts(signed)[1], strict=True)["content"]["signer_infos"]
    kinds = {one["type"].native for one in signer["signed_attrs"]}
    assert kinds == {"content_type", "message_digest", "signing_certificate_v2"}
    with pikepdf.open(BytesIO(signed)) as pdf:
        value = pdf.Root.AcroForm.Fields[0].V
        assert value.SubFilter == "/ETSI.CAdES.detached"
        assert "/M" in value


def test_an_rsa_seal_works_as_well(tmp_path: Path) -> None:
    """PKCS#12 with a password and a chain, as an authority hands it out."""
    key = rsa.generate_private_key(65537, 2048)
    authority_key = rsa.generate_private_key(65537, 2048)

    def issue(name: str, public: Any, issuer: str, by: Any, ca: bool) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=1))
            .not_valid_after(datetime.now(UTC) + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .sign(by, hashes.SHA256())
        )

    authority = issue("Центр", authority_key.public_key(), "Центр", authority_key, ca=True)
    certificate = issue("Печать", key.public_key(), "Центр", authority_key, ca=False)
    file = tmp_path / "seal.p12"
    file.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"seal", key, certificate, [authority], serialization.BestAvailableEncryption(b"secret")
        )
    )
    settings = Settings(seal_file=file, seal_password=SecretStr("secret"), home=tmp_path)
    seal = open_seal(settings)
    assert not seal.test
    minimal = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(minimal)
    signed = seal.sign_pdf(minimal.getvalue())
    assert "successful" in openssl(signed, authority, tmp_path).stderr
    detached = seal.sign_bytes(b"content")
    assert check_signature(b"content", detached, [certificate]) == certificate
    with pytest.raises(SignatureError):
        check_signature(b"other", detached, [certificate])
    with pytest.raises(SealError, match="cannot be read"):
        open_seal(Settings(seal_file=file, seal_password=SecretStr("wrong"), home=tmp_path))


def test_without_a_seal_the_remedy_is_said(tmp_path: Path) -> None:
    """Only a development installation makes a seal of its own."""
    with pytest.raises(SealError, match="MEDCAB_SEAL_FILE"):
        open_seal(Settings(home=tmp_path, demo=False))
    assert open_seal(Settings(home=tmp_path, demo=True)).test


def test_the_test_seal_is_made_once(tmp_path: Path) -> None:
    """Processes that start together agree on one; nobody else may read it."""

    async def race() -> list[Path]:
        made = (asyncio.to_thread(ensure_test_seal, tmp_path, "Б") for _ in range(8))
        return list(await asyncio.gather(*made))

    (file,) = set(asyncio.run(race()))
    before = file.read_bytes()
    assert ensure_test_seal(tmp_path, "Б").read_bytes() == before
    assert file.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in file.parent.iterdir()) == ["test-seal.p12"]


def test_codes() -> None:
    """At least 128 random bits, read back as people type them, stored as a hash."""
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    assert 32 ** len(codes.pop()) >= 2**128
    code = "7K3MQ9X2T5VJ8B4NRC6W1ZD0HE"
    assert read_code(" 7k3m-q9x2 t5vj 8b4n rc6w iZDo he ") == code
    for wrong in ("", code[:-1], code + "0", code.replace("7", "!"), "ы" * 26):
        assert read_code(wrong) is None
    assert code_hash(code) == sha256(code.encode()).hexdigest()
    assert code_url("https://a.example/", code) == f"https://a.example/verify/{code}"


def test_the_qr_leads_to_the_public_page(facts: ActFacts) -> None:
    """The picture on the page, decoded, is the address with the code."""
    page = pypdfium2.PdfDocument(build_act(facts))[0].render(scale=3).to_pil()
    (found,) = zxingcpp.read_barcodes(page)
    assert found.text == code_url(facts.public_url, facts.code)


def test_fonts_are_what_was_taken() -> None:
    """The vendored fonts have the recorded hashes, and their licences lie beside."""
    fonts = PAPERS.with_name("fonts")
    lines = (fonts / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split() for line in lines)}
    assert {file.name for file in fonts.glob("*.ttf")} == set(listed)
    for name, digest in listed.items():
        assert sha256((fonts / name).read_bytes()).hexdigest() == digest
    for licence in ("LICENSE-PTSans.txt", "LICENSE-PTSerif.txt"):
        assert "SIL OPEN FONT LICENSE" in (fonts / licence).read_text().upper()
