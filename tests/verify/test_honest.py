"""Honest competitions of varied regulation, size and incidents raise no alarm; make figures tries a thousand."""

from hall import POLICY, material
from hall_course import competition
from scenarios import scenario

from examsvc.ledger.bundle import PUBLIC, RESTRICTED, compose
from examsvc.verify.findings import Verdict
from examsvc.verify.verification import VERIFIED, verify


def alarms(seed):
    """(edition, check, reasons) of every check that fails in both editions of a competition."""
    candidates, chosen = scenario(seed)
    hall = competition(seed, candidates, scenario=chosen)
    found = []
    for kind in (PUBLIC, RESTRICTED):
        report = verify(compose(material(hall), kind, hall.posts, hall.edition), POLICY)
        found += [(kind, f.check, f.reasons) for f in report.findings if f.verdict is Verdict.FAILED]
        assert (report.status == VERIFIED) == (not [one for one in found if one[0] == kind])
    return found


def test_three_dozen_competitions_raise_no_alarm():
    tried = 0
    for seed in range(36):
        assert alarms(seed) == [], seed
        tried += 1
    assert tried == 36
