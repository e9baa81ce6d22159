"""Signing a PDF: pyHanko writes the PDF, `crypto.cms_signatures` makes the CMS."""

from io import BytesIO
from typing import Any

from asn1crypto import cms  # type: ignore[import-untyped]
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from crypto.certificates import common_name
from crypto.cms_signatures import CmsSigner, as_asn1


class _PdfSigner(signers.Signer):
    """Gives our CMS to pyHanko, which would otherwise build its own."""

    def __init__(self, made_by: CmsSigner) -> None:
        super().__init__(signing_cert=as_asn1(made_by.certificate))
        self._made_by = made_by

    async def async_sign(
        self, data_digest: bytes, *_: Any, dry_run: bool = False, **__: Any
    ) -> cms.ContentInfo:
        """The CMS over this SHA-256 digest of the byte ranges."""
        return cms.ContentInfo.load(self._made_by.sign(data_digest))


def sign_pdf(pdf: bytes, made_by: CmsSigner, reason: str) -> bytes:
    """The PDF with a PAdES B-B signature in an invisible field."""
    out = BytesIO()
    meta = signers.PdfSignatureMetadata(
        field_name="Seal",
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        name=common_name(made_by.certificate),
        reason=reason or None,
    )
    # The appended part must begin on a new line (ISO 19005-2, 6.1.9).
    ended = pdf if pdf.endswith((b"\n", b"\r")) else pdf + b"\n"
    signers.PdfSigner(meta, signer=_PdfSigner(made_by)).sign_pdf(
        IncrementalPdfFileWriter(BytesIO(ended)), output=out, bytes_reserved=2 * made_by.most
    )
    return out.getvalue()
