"""Every paper that is kept for decades is PDF/A, as the reference validator reads it."""

from pathlib import Path

from services.accreditations.portfolio import build
from services.applications.enrolment_certificate import SealFacts, build_act
from services.dossier import receipt_paper
from services.requests.paper import RequestField, form
from services.seal import FileSeal, ensure_test_seal
from tests.gov_service.line import facts
from tests.papers.samples import act_facts, portfolio_facts, receipt_facts
from tests.papers.verapdf import claims


def test_verapdf_finds_nothing(tmp_path: Path) -> None:
    """Bare and sealed, and with all that people may type."""
    seal = FileSeal.read(ensure_test_seal(tmp_path, "Городская клиническая больница № 7"))
    act, request = build_act(act_facts(SealFacts.of(seal))), form(facts()).pdf
    odd = facts(fields=(RequestField("Цель", "Справка 😀 для 中文 ⁹\n\tи\u202fещё\u0000", "x"),))
    receipt = receipt_paper.form(receipt_facts(seal.certificate), b"{}", seal)
    portfolio, pages = build(portfolio_facts(tmp_path), tmp_path)
    assert pages == 3
    told = claims(
        {
            "act.pdf": act,
            "sealed-act.pdf": seal.sign_pdf(act, reason="Акт о зачислении"),
            "portfolio.pdf": portfolio,
            "sealed-portfolio.pdf": seal.sign_pdf(portfolio),
            "request.pdf": request,
            "sealed-request.pdf": seal.sign_pdf(request),
            "odd-request.pdf": form(odd).pdf,
            "receipt.pdf": receipt,
        },
        tmp_path,
    )
    assert list(told.values()) == ["2a true"] * 4 + ["3a true"] * 4, told
