"""The matrix of insiders: an honest quorum that saw what was there, one slip or one receipt finds what no logic can."""

from attackers import NOW, SEED, cases, offers, rewritten, seen
from forgery import World
from hall import LOG_KEY, WITNESSES
from hall_course import competition

from examsvc.ledger import checkpoints, entries, witness
from examsvc.ledger.checkpoints import Checkpoint
from examsvc.ledger.merkle import Tree
from examsvc.ledger.witness import Request, State


def test_the_matrix_of_insiders():
    tried = 0
    for thorough, look, colluding, held, checks in cases():
        tried += 1
        expected = set() if thorough else {"V8"}
        if look != "before" and colluding < 2:
            expected |= {"V2"}  # honest witnesses signed another history, so that the quorum is missing
        if held != "nothing":
            expected |= {"V18"}
        assert set(checks) == expected, (thorough, look, colluding, held)
    assert tried == 2 * (8 + 12 + 12)


def test_an_honest_witness_refuses_every_proof_of_a_rewritten_log_and_takes_the_true_one():
    hall = competition(SEED, 2)
    for thorough in (False, True):
        world, attempt = rewritten(hall, thorough)
        for look, allowed in (("before", True), ("between", False), ("end", False)):
            for log, fits in ((world, allowed), (World.of(hall), True)):
                size = seen(hall, world, attempt, look)
                old, new = Tree(map(entries.leaf_hash, hall.data)), Tree(map(entries.leaf_hash, log.entries))
                note = checkpoints.sign(Checkpoint(LOG_KEY.name, len(new), new.root()), LOG_KEY)
                answers = [
                    witness.answer(
                        Request(start, tuple(proof), note.data).data,
                        {LOG_KEY.name: [LOG_KEY.verifier]},
                        {LOG_KEY.name: State(size, old.root(size))},
                        WITNESSES[2:],
                        NOW,
                    )
                    for start, proof in offers(old, new, size)
                ]
                assert len(answers) == 6
                assert (200 in [one.status for one in answers]) is fits
                assert any(one.alarm for one in answers) or fits
