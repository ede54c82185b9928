import pytest
from regulation_documents import at, edited, read_tree

from examsvc.competitions.phases import FACTS, Phase, Position, phase, phases, transitions
from examsvc.competitions.regulation import preset_names, read_preset


def test_phases_follow_the_stages_of_the_regulation():
    expected = {
        "demo": "draft announced applications eligibility:eligibility exam:written marking:written defence:defence results appeals final",
        "eu-open-competition": "draft announced applications exam:tests eligibility:eligibility marking:screener exam:centre "
        "marking:centre defence:centre eligibility:documents results appeals final",
        "kr-senior-assessment": "draft announced applications eligibility:eligibility defence:centre results appeals final",
        "vn-decree-170-2025": "draft announced applications eligibility:eligibility exam:round-1 exam:round-2 marking:round-2 "
        "results appeals final",
    }
    assert len(expected) == 4
    for name, order in expected.items():
        assert [one.id for one in phases(read_preset(name))] == order.split()


def advance(regulation, phase_id):
    step = transitions(regulation, Position(phase(regulation, phase_id)))[0]
    assert step.action == "advance"
    return step


def test_a_competition_walks_from_draft_to_final_when_all_facts_hold():
    for name in preset_names():
        regulation = read_preset(name)
        position, walked, facts = Position(Phase("draft")), [Phase("draft")], set()
        while steps := [t for t in transitions(regulation, position) if t.action == "advance"]:
            (step,) = steps
            assert step.missing(facts) == tuple(need for need in step.needs if need not in facts)
            facts |= set(step.needs)
            assert step.missing(facts) == ()
            position = step.to
            walked.append(position.phase)
        assert tuple(walked) == phases(regulation)
        stages = [s.id for s in regulation.stages if s.kind == "examination"]
        assert stages
        for stage in stages:
            assert {f"marks-locked:{stage}", f"stage-results:{stage}"} <= facts


def test_every_need_is_described():
    known = set(FACTS)
    seen = set()
    for name in preset_names():
        regulation = read_preset(name)
        for one in phases(regulation):
            for standing in ("going-on", "postponed", "suspended"):
                for step in transitions(regulation, Position(one, standing)):
                    for need in step.needs:
                        fact, _, which = need.partition(":")
                        general = need if need in known else f"{fact}:{'ACTION' if fact == 'reasoned-decision' else 'STAGE'}"
                        assert general in known, need
                        assert which == "" or general == need or which in {s.id for s in regulation.stages} | {
                            "postpone", "suspend", "resume", "annul", "repeat"}  # fmt: skip
                        seen.add(general)
    assert seen == known, "every described fact is needed somewhere"


def test_names_of_phases_fit_their_column():
    assert max(len(one.id) for name in preset_names() for one in phases(read_preset(name))) <= 30

    def edit(tree):
        at(tree, "stages.written")["id"] = "s" * 20

    assert max(len(one.id) for one in phases(read_tree(edited("demo", edit)))) <= 30


def test_hurdles_wait_for_locked_marks():
    regulation = read_preset("vn-leadership")
    needs = advance(regulation, "marking:written").needs
    assert needs[:2] == ("marks-locked:written", "stage-results:written")
    assert "plans-handed-in:defence" in needs
    assert "enough-candidates" in advance(regulation, "eligibility:eligibility").needs
    assert "enough-candidates" in advance(read_preset("eu-open-competition"), "applications").needs
    assert "enough-candidates" not in advance(read_preset("eu-open-competition"), "eligibility:eligibility").needs


def test_announcing_needs_pinning_lint_confirmations_and_approval():
    assert set(advance(read_preset("demo"), "draft").needs) == {
        "regulation-pinned", "no-lint-errors", "clauses-confirmed", "notice-complete", "council-appointed",
        "approved:publish-notice",
    }  # fmt: skip


def test_interventions_are_decided_with_a_reason_by_the_named_role():
    regulation = read_preset("demo")
    here = phase(regulation, "exam:written")
    by_action = {t.action: t for t in transitions(regulation, Position(here))}
    assert set(by_action) == {"advance", "suspend", "postpone", "annul"}
    for action in ("suspend", "postpone", "annul"):
        assert by_action[action].decided_by == "competent-authority"
        assert f"reasoned-decision:{action}" in by_action[action].needs
        assert "approved:intervene" in by_action[action].needs
        assert by_action[action].to.phase == here
    assert by_action["advance"].decided_by is None
    for standing in ("postponed", "suspended"):
        steps = transitions(regulation, Position(here, standing))
        assert [(t.action, t.to.standing) for t in steps] == [("resume", "going-on"), ("annul", "annulled")]
    assert transitions(regulation, Position(here, "annulled")) == ()


def test_drafts_and_final_competitions_are_not_intervened_in():
    regulation = read_preset("demo")
    assert [t.action for t in transitions(regulation, Position(Phase("draft")))] == ["advance"]
    assert transitions(regulation, Position(Phase("final"))) == ()
    assert "postpone" not in {t.action for t in transitions(regulation, Position(Phase("results")))}


def test_an_annulled_sitting_is_repeated():
    regulation = read_preset("demo")
    steps = transitions(regulation, Position(Phase("appeals")))
    assert [t.to.phase.id for t in steps if t.action == "repeat"] == ["exam:written", "defence:defence"]


def test_what_the_regulation_does_not_allow_is_not_offered():
    def edit(tree):
        tree["interventions"] = [i for i in tree["interventions"] if i["kind"] not in ("postpone", "annul")]
        tree["approvals"] = []

    regulation = read_tree(edited("demo", edit))
    steps = transitions(regulation, Position(phase(regulation, "marking:written")))
    assert [t.action for t in steps] == ["advance", "suspend"]
    assert steps[1].needs == ("reasoned-decision:suspend",)


def test_unknown_phases_are_refused():
    with pytest.raises(KeyError):
        phase(read_preset("demo"), "exam:nowhere")
