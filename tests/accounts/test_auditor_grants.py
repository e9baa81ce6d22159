"""An auditor's access has an end, at most 90 days away (I13)."""

from datetime import timedelta

import pytest

from rules.access import AUDIT_LONGEST, Role, demand_end
from rules.clock import now
from rules.refusals import Refusal


@pytest.mark.parametrize("lasts", [None, AUDIT_LONGEST + timedelta(seconds=1)])
def test_an_auditor_without_a_near_end_is_refused(lasts: timedelta | None) -> None:
    """Without an end, or a second beyond 90 days."""
    since = now()
    with pytest.raises(Refusal, match="auditor_needs_end"):
        demand_end(Role.AUDITOR, since, since + lasts if lasts else None)


def test_others_need_no_end() -> None:
    """90 days to the second are allowed, and no other role is asked."""
    since = now()
    demand_end(Role.AUDITOR, since, since + AUDIT_LONGEST)
    demand_end(Role.DOCTOR, since, None)
