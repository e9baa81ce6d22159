"""What anyone who holds the code of an act may learn (A5)."""

import pytest

from models.tables.cases import IssuedAct
from rules.clock import now
from rules.ids import new_id
from rules.refusals import Refusal
from services.applications.enrolment_certificate import code_hash, confirm, new_code
from tests.dossier.test_receipt import submitted
from tests.shared.ledger import Ledger


async def test_the_code_confirms_and_nothing_else_does(ledger: Ledger) -> None:
    """Number, date and outcome by the code; the act's number or a wrong code say nothing."""
    code, case = new_code(), await submitted(ledger)
    act = IssuedAct(
        id=new_id(),
        case_id=case,
        number=f"АЗ-{now().timestamp()}",
        issued_at=now(),
        outcome="approved",
        object_key=code,
        sha256="ab" * 32,
        size=1,
        public_code_hash=code_hash(code),
    )
    number = act.number
    async with ledger.database.work() as session:
        session.add(act)
    async with ledger.database.work() as session:
        said = await confirm(session, f" {code[:4]}-{code[4:].lower()} ")
        assert (said.number, said.outcome, said.sha256) == (number, "approved", "ab" * 32)
        for wrong, refusal in (
            (new_code(), "not_found"),
            (number, "incomplete_code"),
            (code[:-1], "incomplete_code"),
            (code_hash(code), "incomplete_code"),
            ("", "incomplete_code"),
        ):
            with pytest.raises(Refusal, match=refusal):
                await confirm(session, wrong)
