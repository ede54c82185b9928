"""Each check removed in turn: some attack then passes that did not before, so a test turns red."""

import pytest
import test_attacks as attacks

from examsvc.verify import verification
from examsvc.verify.findings import Finding, Verdict

CHECKS = [f"V{number}" for number in range(1, 19)]

# for each check one attack that it alone, or it among others, must find; the whole table stands in docs/figures.md
GUARDS = {
    "V1": ["test_files_that_are_not_listed_not_there_or_out_of_place"],
    "V2": ["test_without_the_log_s_key_or_the_quorum_nothing_is_believed"],
    "V3": ["test_entries_of_another_competition"],
    "V4": ["test_an_unknown_type_and_a_step_approved_by_one"],
    "V5": ["test_the_paper_sealed_before_applications_closed"],
    "V6": ["test_another_regulation_and_none"],
    "V7": ["test_markers_chosen_by_hand"],
    "V8": ["test_an_answer_changed_and_committed_to_anew"],
    "V9": ["test_a_candidate_who_vanishes_from_the_ranking_and_one_who_appears"],
    "V10": ["test_a_panel_of_others_or_shown_too_early"],
    "V11": ["test_a_mark_corrected_after_the_lock"],
    "V12": ["test_roles_that_the_regulation_keeps_apart"],
    "V13": ["test_a_mean_that_is_none"],
    "V14": ["test_a_rank_an_outcome_or_a_total_that_does_not_follow"],
    "V15": ["test_a_published_ranking_that_was_not_approved"],
    "V16": ["test_time_stamps_of_another_log_or_another_time"],
    "V17": ["test_two_applications_of_one_person_and_two_codes_of_one_account"],
    "V18": ["test_receipts_that_prove_nothing"],
}


def without(check, monkeypatch):
    """Let a check always pass."""
    report = verification._report

    def blind(*arguments):
        made = report(*arguments)
        findings = tuple(
            Finding(one.check, one.title, Verdict.PASSED)
            if one.check == check and one.verdict is Verdict.FAILED
            else one
            for one in made.findings
        )
        return verification.Report(
            made.digest, made.competition, made.kind, made.edition, made.posts, findings
        )

    monkeypatch.setattr(verification, "_report", blind)


@pytest.mark.parametrize("check", CHECKS)
def test_without_a_check_a_test_turns_red(check, monkeypatch):
    for name in GUARDS[check]:
        getattr(attacks, name)()
    without(check, monkeypatch)
    for name in GUARDS[check]:
        with pytest.raises(AssertionError):
            getattr(attacks, name)()
