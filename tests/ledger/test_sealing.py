"""Sealed papers: every quorum opens, no smaller group does, a bad share is attributed, the wrong paper is refused."""

import math
import random
from dataclasses import replace
from itertools import combinations

import pytest
from Crypto.Protocol.SecretSharing import Shamir

from benchmarks.sealing import sweep
from examsvc.ledger import commitments, entries, sealing
from examsvc.ledger.sealing import BadShareError, SealingError
from tests.exam_hall import quick_passphrase

FORM = {
    "paper": "T1",
    "form": "F1",
    "items": [{"slot": 1, "item": "ab" * 32, "marks": "10", "content": "Câu 1"}],
}
KEY = {"paper": "T1", "version": 1, "answers": [{"item": "ab" * 32, "key": "b", "marks": "10"}]}
SALTS = [bytes([n]) * 32 for n in (1, 2)]
CONTENTS = sealing.paper_contents("T1", [(SALTS[0], FORM)], (SALTS[1], KEY), media=[b"\x89PNG picture"])


def people(count):
    identities = {f"P-c{n}": sealing.new_identity() for n in range(1, count + 1)}
    return {name: pair[0] for name, pair in identities.items()}, {
        name: pair[1] for name, pair in identities.items()
    }


@pytest.fixture(scope="module")
def sealed_three():
    identities, recipients = people(3)
    sealed = sealing.seal("T1", CONTENTS, recipients, 2)
    shares = {
        item.custodian: sealing.decrypt_share(item.ciphertext, identities[item.custodian])
        for item in sealed.shares
    }
    return sealed, identities, shares


def test_every_two_of_three_open_and_no_one_alone(sealed_three):
    sealed, _, shares = sealed_three
    first, second, third = shares.values()
    assert sealing.open_paper(sealed, sealed.digest, (third, first)) == CONTENTS
    secrets = {
        Shamir.combine([(share.x, share.share) for share in pair])
        for pair in ((first, second), (first, third), (second, third), (third, first))
    }
    assert len(secrets) == 1  # scrypt takes a second each time: one pair opens, all pairs give its passphrase
    assert b"paper" not in sealed.ciphertext
    for share in shares.values():
        with pytest.raises(SealingError, match="1 shares of 2"):
            sealing.open_paper(sealed, sealed.digest, [share])
        with pytest.raises(SealingError, match="1 shares of 2"):
            sealing.open_paper(sealed, sealed.digest, [share, share])
    with pytest.raises(SealingError, match="0 shares of 2"):
        sealing.open_paper(sealed, sealed.digest, [])


@pytest.mark.parametrize(("threshold", "count"), [(2, 3), (3, 5), (2, 5), (4, 5), (4, 7)])
def test_every_subset_of_the_threshold_gives_the_secret_and_no_smaller_one(threshold, count, monkeypatch):
    """Over all subsets, with the secret in the place of the paper: age's scrypt would take a second for each."""
    secret = bytes(range(16))
    monkeypatch.setattr(sealing.pyrage.passphrase, "encrypt", lambda data, passphrase: data)
    identities, recipients = people(count)
    sealed = sealing.seal("T1", CONTENTS, recipients, threshold, secret=secret)
    shares = [sealing.decrypt_share(item.ciphertext, identities[item.custodian]) for item in sealed.shares]
    right = wrong = 0
    for size in range(1, count + 1):
        for subset in combinations(shares, size):
            combined = Shamir.combine([(share.x, share.share) for share in subset])
            if size >= threshold:
                assert combined == secret
                right += 1
            else:
                assert combined != secret
                wrong += 1
    assert right + wrong == 2**count - 1
    assert right >= 4


def test_every_quorum_up_to_six_opens_no_smaller_group_does_and_a_spoiled_share_is_named():
    """The sweep of benchmarks/sealing.py: all subsets of all k of n through the opening itself, age's hardening left out."""
    with quick_passphrase():
        counts = {(k, n): sweep(k, n, random.Random(7)) for n in range(3, 7) for k in range(2, n)}
    assert len(counts) == 10
    for (k, n), count in counts.items():
        opening = [math.comb(n, size) for size in range(k, n + 1)]
        assert count.wrong == 0
        assert count.opened == sum(opening)
        assert count.refused == 2**n - sum(opening)
        assert count.attributed == sum(ways * size for ways, size in zip(opening, range(k, n + 1), strict=True))
        assert count.foreign == n * (n - 1)


def test_the_sweep_would_see_a_seal_that_too_few_open(monkeypatch):
    """Were the secret dealt whole to everybody, one share would do: the sweep must say so."""

    class Naked:
        @staticmethod
        def split(threshold, number, secret):
            return [(place, secret) for place in range(1, number + 1)]

        @staticmethod
        def combine(points):
            return points[0][1]

    monkeypatch.setattr(sealing, "Shamir", Naked)
    monkeypatch.setattr("benchmarks.sealing.Shamir", Naked)
    with quick_passphrase():
        assert sweep(3, 4, random.Random(7)).wrong == 4 + 6


def test_a_threshold_minus_one_says_nothing_about_the_secret():
    """For each candidate secret there is a polynomial through the known share: seen by completing one."""
    points = Shamir.split(2, 3, bytes(16))
    (x, share), (other, _) = points[0], points[1]
    seen = set()
    for guess in range(64):
        completed = bytes([guess]) + bytes(15)
        seen.add(Shamir.combine([(x, share), (other, completed)]))
    assert len(seen) == 64


def test_a_bad_share_is_attributed(sealed_three):
    sealed, _, shares = sealed_three
    first, second, third = shares.values()
    forged = replace(first, share=bytes([first.share[0] ^ 1]) + first.share[1:])
    with pytest.raises(BadShareError) as refusal:
        sealing.open_paper(sealed, sealed.digest, [forged, second])
    assert refusal.value.custodians == ("P-c1",)
    assert sealing.genuine(first, sealed.shares)
    for bad in (
        forged,
        replace(first, salt=bytes(32)),
        replace(first, x=2),
        replace(first, custodian="P-c2"),
        replace(first, paper="T2"),
        replace(second, custodian="P-c1"),
    ):
        assert not sealing.genuine(bad, sealed.shares)
        with pytest.raises(BadShareError):
            sealing.open_paper(sealed, sealed.digest, [bad, third])
    with pytest.raises(BadShareError) as refusal:
        sealing.open_paper(sealed, sealed.digest, [forged, replace(second, x=3), third])
    assert refusal.value.custodians == ("P-c1", "P-c2")


def test_shares_are_for_their_custodian_alone(sealed_three):
    sealed, identities, shares = sealed_three
    for item in sealed.shares:
        for custodian, identity in identities.items():
            if custodian != item.custodian:
                with pytest.raises(SealingError, match="not dealt to this key"):
                    sealing.decrypt_share(item.ciphertext, identity)
    with pytest.raises(SealingError, match="not an age identity"):
        sealing.decrypt_share(sealed.shares[0].ciphertext, "AGE-SECRET-KEY-1")
    share = shares["P-c1"]
    assert share.share.hex() not in repr(share)
    entries.check_object("paper.share", share.object)


def test_another_ciphertext_is_refused_before_anything_is_tried(sealed_three, monkeypatch):
    sealed, _, shares = sealed_three
    swapped = replace(sealed, ciphertext=sealed.ciphertext[:-1] + bytes([sealed.ciphertext[-1] ^ 1]))
    with pytest.raises(SealingError, match="not the one in the log"):
        sealing.open_paper(swapped, sealed.digest, shares.values())

    def fails(*_):
        raise sealing.pyrage.DecryptError

    monkeypatch.setattr(sealing.pyrage.passphrase, "decrypt", fails)
    with pytest.raises(SealingError, match="sealed wrongly"):
        sealing.open_paper(swapped, swapped.digest, shares.values())


def test_a_share_comes_back_and_every_byte_of_it_matters(sealed_three):
    sealed, _, shares = sealed_three
    share = shares["P-c2"]
    assert sealing.read_share(share.data) == share
    tried = 0
    for place in range(len(share.data)):
        for bit in (1, 2, 4, 32):
            changed = share.data[:place] + bytes([share.data[place] ^ bit]) + share.data[place + 1 :]
            tried += 1
            try:
                read = sealing.read_share(changed)
            except SealingError:
                continue
            assert read.paper != "T1" or not sealing.genuine(read, sealed.shares)
    assert tried == 4 * len(share.data)
    for data in (b"", b"{}", b"[]", b'{"v":2}', share.data + b" "):
        with pytest.raises(SealingError, match="not a share"):
            sealing.read_share(data)


@pytest.mark.parametrize(("threshold", "count"), [(1, 3), (3, 3), (2, 2), (0, 3), (4, 3), (2, 13)])
def test_thresholds_that_protect_nobody_or_lose_everything_are_refused(threshold, count):
    recipients = {f"P-c{n}": "age1" for n in range(count)}
    with pytest.raises(SealingError, match="is not possible"):
        sealing.seal("T1", CONTENTS, recipients, threshold)


def test_recipients_are_different_keys():
    _, recipients = people(3)
    with pytest.raises(SealingError, match="not an age recipient"):
        sealing.seal("T1", CONTENTS, {**recipients, "P-c3": "age1nonsense"}, 2)
    with pytest.raises(SealingError, match="same key"):
        sealing.seal("T1", CONTENTS, {**recipients, "P-c3": recipients["P-c1"]}, 2)


def body():
    return {
        "paper": "T1",
        "forms": [commitments.commit("paper.form", SALTS[0], FORM)],
        "key": commitments.commit("paper.key", SALTS[1], KEY),
    }


def test_opened_contents_are_what_was_committed_to():
    entries.check_object("paper.form", FORM)
    entries.check_object("paper.key", KEY)
    sealing.check_contents(CONTENTS, body())
    other_key = {**KEY, "answers": [{**KEY["answers"][0], "key": "c"}]}
    changed = [
        (sealing.paper_contents("T1", [(SALTS[0], FORM)], (SALTS[1], other_key)), "key is not the one"),
        (sealing.paper_contents("T1", [(SALTS[1], FORM)], (SALTS[1], KEY)), "form is not the one"),
        (sealing.paper_contents("T1", [], (SALTS[1], KEY)), "not a paper"),
        (sealing.paper_contents("T1", [(SALTS[0], FORM)], (SALTS[1], KEY), (SALTS[0], {})), "guide where"),
        ({**CONTENTS, "media": {"ab" * 32: "00"}}, "not the one its form names"),
        ({}, "not a paper"),
        ([], "not a paper"),
        (None, "not a paper"),
    ]
    for contents, sentence in changed:
        with pytest.raises(SealingError, match=sentence):
            sealing.check_contents(contents, body())
    with pytest.raises(SealingError, match="another paper"):
        sealing.check_contents(CONTENTS, {**body(), "paper": "T2"})


def test_a_rehearsal_opens_a_paper_without_questions(monkeypatch):
    monkeypatch.setattr(
        sealing.pyrage.passphrase, "encrypt", lambda data, passphrase: passphrase.encode() + data
    )
    monkeypatch.setattr(
        sealing.pyrage.passphrase, "decrypt", lambda data, passphrase: data.removeprefix(passphrase.encode())
    )
    identities, recipients = people(3)
    sealed = sealing.seal("R1", sealing.rehearsal("R1"), recipients, 2)
    shares = [
        sealing.decrypt_share(item.ciphertext, identities[item.custodian]) for item in sealed.shares[1:]
    ]
    contents = sealing.open_paper(sealed, sealed.digest, shares)
    assert contents["forms"] == []
    assert contents == sealing.rehearsal("R1")


def test_a_busy_machine_waits_and_says_what_it_is(sealed_three, monkeypatch):
    """age refuses a passphrase file that would take much longer than the machine needs at the moment it measures."""
    sealed, _, shares = sealed_three
    tries, always = [], [False]

    def busy(*_):
        tries.append(1)
        if len(tries) < 3 or always[0]:
            raise sealing.pyrage.DecryptError("Excessive work parameter for passphrase.")
        return sealing.canonical.encode(CONTENTS)

    monkeypatch.setattr(sealing.pyrage.passphrase, "decrypt", busy)
    monkeypatch.setattr(sealing, "PAUSE", 0)
    assert sealing.open_paper(sealed, sealed.digest, shares.values()) == CONTENTS
    assert len(tries) == 3
    always[0] = True
    with pytest.raises(SealingError, match="too busy to open the paper now"):
        sealing.open_paper(sealed, sealed.digest, shares.values())
    assert len(tries) == 3 + sealing.PATIENCE
