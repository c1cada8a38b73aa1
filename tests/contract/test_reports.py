"""What the gate lets the house tell is what the backend takes, field by field."""

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.ledger import report_of
from parkshare_backend.link.service import check
from tests.contract.test_vectors import TAKEN_AS

BOOKING = "0198d2a0-0000-7000-8000-000000000101"
AT = 1_795_356_062.0
HEAD = "17:" + "0123456789abcdef" * 4
PHONE = "+49 30 000000"
TOLD = [
    *(w.Help(BOOKING, rung, AT) for rung in w.Rung),
    *(w.AdmissionDecided(BOOKING, w.Decision.ADMIT, by, AT) for by in (w.Cause.PLATE, w.Cause.OWNER, w.Cause.CODE)),
    w.StayArrived(BOOKING, AT),
    w.StayLeft(BOOKING, AT),
    w.StayEnding(BOOKING, AT),
    w.Overstayed(BOOKING, AT),
    w.StayExtended(BOOKING, AT),
    w.BayTaken(BOOKING, AT),
    w.BayFree(BOOKING, AT),
]


@pytest.mark.parametrize("intent", TOLD, ids=lambda intent: type(intent).__name__)
def test_the_backend_takes_every_report_of_the_gate_and_loses_nothing_of_it(intent: w.Intent) -> None:
    report = report_of(intent, head=HEAD, phone=PHONE)
    assert report is not None
    t, d = report
    said = check(TAKEN_AS[t], d).model_dump(mode="json", exclude_none=True)
    assert said == d
