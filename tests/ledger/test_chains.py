"""The chain over an attempt's saves: the formula by hand, and that no save can be changed, dropped, added or moved."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.ledger import chains
from examsvc.ledger.chains import Head

commitments = st.lists(
    st.binary(min_size=32, max_size=32).map(bytes.hex), min_size=1, max_size=12, unique=True
)


def test_the_formula_by_hand():
    first = hashlib.sha256(b'examsvc.v1/attempt.chain\0{"attempt":"A7","x":"c1"}').digest()
    save = bytes(range(32))
    second = hashlib.sha256(b"examsvc.v1/attempt.link\0" + first + save).digest()
    head = chains.start("c1", "A7")
    assert head == Head("A7", 0, first.hex())
    assert chains.extend(head, save.hex()) == Head("A7", 1, second.hex())


@settings(max_examples=80, deadline=None)
@given(commitments, st.data())
def test_every_tampering_changes_the_head(saves, data):
    heads = chains.replay("c1", "A7", saves)
    assert [head.links for head in heads] == list(range(len(saves) + 1))
    place = data.draw(st.integers(0, len(saves) - 1))
    flipped = f"{int(saves[place][0], 16) ^ 1:x}{saves[place][1:]}"
    other = data.draw(st.integers(0, len(saves) - 1))
    moved = [*saves[:place], *saves[place + 1 :]]
    moved.insert(other, saves[place])
    for changed in (
        [*saves[:place], flipped, *saves[place + 1 :]],
        [*saves[:place], *saves[place + 1 :]],
        [*saves[: place + 1], *saves[place:]],
        moved,
    ):
        if changed != saves:
            assert chains.replay("c1", "A7", changed)[-1].head != heads[-1].head
    assert chains.replay("c1", "A8", saves)[-1].head != heads[-1].head
    assert chains.replay("c2", "A7", saves)[-1].head != heads[-1].head


def test_heads_of_open_attempts_by_hand():
    heads = [Head("B", 2, "bb" * 32), Head("A", 1, "aa" * 32), Head("C", 0, "cc" * 32)]
    leaf_a, leaf_b, leaf_c = (
        hashlib.sha256(b'\0["%s",%d,"%s"]' % (code, links, text * 32)).digest()
        for code, links, text in ((b"A", 1, b"aa"), (b"B", 2, b"bb"), (b"C", 0, b"cc"))
    )
    left = hashlib.sha256(b"\1" + leaf_a + leaf_b).digest()
    assert chains.heads_root(heads) == hashlib.sha256(b"\1" + left + leaf_c).hexdigest()
    assert chains.heads_root(reversed(heads)) == chains.heads_root(heads)
    assert chains.heads_root([]) == hashlib.sha256(b"").hexdigest()
    with pytest.raises(ValueError, match="one head"):
        chains.heads_root([heads[0], Head("B", 3, "bb" * 32)])


@pytest.mark.parametrize("commitment", ["", "ab", "ab" * 31, "ab" * 33, "zz" * 32])
def test_a_link_needs_a_commitment(commitment):
    with pytest.raises(ValueError, match="hex"):
        chains.extend(chains.start("c1", "A7"), commitment)
