"""Texts that share sentences, and texts that only share a subject."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.errors import BadParameters, TooFewObservations
from scoring.forensics import text_similarity

SYLLABLES = [
    "kế",
    "hoạch",
    "hành",
    "động",
    "phát",
    "triển",
    "đơn",
    "vị",
    "cán",
    "bộ",
    "công",
    "chức",
    "viên",
    "nâng",
    "cao",
    "chất",
    "lượng",
    "quản",
    "lý",
    "nhà",
    "nước",
    "dịch",
    "vụ",
    "người",
    "dân",
    "chuyển",
    "đổi",
    "số",
    "thủ",
    "tục",
    "đào",
    "tạo",
    "bồi",
    "dưỡng",
    "kiểm",
    "tra",
    "giám",
    "sát",
    "thực",
    "hiện",
    "mục",
    "tiêu",
    "giải",
    "pháp",
    "năm",
    "tháng",
    "quý",
    "hiệu",
    "quả",
    "cải",
    "cách",
    "kinh",
    "tế",
    "xã",
    "hội",
    "môi",
    "trường",
    "giáo",
    "dục",
    "y",
    "tế",
    "văn",
    "hóa",
    "tổ",
    "chức",
    "bộ",
    "máy",
    "nhân",
    "sự",
    "tài",
    "chính",
    "ngân",
    "sách",
    "đầu",
    "tư",
    "xây",
    "dựng",
]
VOCABULARY = list(dict.fromkeys(SYLLABLES)) + [f"từ{i}" for i in range(400)]


def author(rng: np.random.Generator, words: int, phrases: list[list[str]]) -> list[str]:
    """A plan: Zipf's words with the author's own favourites, and set phrases that the trade shares."""
    common = 1 / np.arange(1, len(VOCABULARY) + 1) ** 0.9
    mixed = 0.7 * common + 0.3 * common[rng.permutation(len(VOCABULARY))]
    mixed /= mixed.sum()
    out: list[str] = []
    while len(out) < words:
        if rng.random() < 0.06:
            out += phrases[rng.integers(len(phrases))]
        else:
            out += [VOCABULARY[i] for i in rng.choice(len(VOCABULARY), 8, p=mixed)]
    return out


def room(seed: int, authors: int = 16) -> list[list[str]]:
    rng = np.random.default_rng(seed)
    phrases = [[VOCABULARY[i] for i in rng.integers(0, 80, rng.integers(3, 9))] for _ in range(40)]
    return [author(rng, int(rng.integers(200, 600)), phrases) for _ in range(authors)]


def join(texts: list[list[str]]) -> list[str]:
    return [" ".join(words) for words in texts]


def test_jaccard_and_containment_by_hand():
    found = text_similarity(["a b c d e f", "a b c d e g", "x y z u v w"], shingle=5, test=False)
    # shingles: {abcde, bcdef}, {abcde, bcdeg}, two others
    assert found.jaccard.tolist() == [pytest.approx(1 / 3), 0.0, 0.0]
    assert found.containment.tolist() == [0.5, 0.0, 0.0]
    (passage,) = found.passages[0]
    assert (passage.first, passage.second, passage.words) == ((0, 9), (0, 9), 5)
    assert found.longest.tolist() == [5, 0, 0]
    assert np.isnan(found.p).all()
    assert not found.tested


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("abc ", max_size=60), min_size=2, max_size=4))
def test_jaccard_is_that_of_python_sets(texts):
    found = text_similarity(texts, shingle=2, test=False)
    sets = []
    for text in texts:
        words = text.split()
        sets.append({tuple(words[i : i + 2]) for i in range(len(words) - 1)})
    limit = max(2.0, 0.5 * len(texts))
    common = {s for s in set().union(*sets) if sum(s in other for other in sets) > limit}
    sets = [own - common for own in sets]
    for pair, (i, j) in enumerate(zip(found.first, found.second, strict=True)):
        union = sets[i] | sets[j]
        assert found.jaccard[pair] == pytest.approx(len(sets[i] & sets[j]) / len(union) if union else 0.0)
        assert (pair in found.passages) == bool(sets[i] & sets[j])
        for passage in found.passages.get(pair, ()):
            one, other = texts[i][slice(*passage.first)], texts[j][slice(*passage.second)]
            assert one.split() == other.split()
            assert len(one.split()) == passage.words


def test_a_copied_paragraph_is_found_located_and_nothing_else():
    hits = alarms = 0
    for seed in range(12):
        texts = room(seed)
        alarms += bool(text_similarity(join(texts), alpha=0.05).flagged.any())
        texts[9][40:110] = texts[2][60:130]
        plain = join(texts)
        found = text_similarity(plain)
        pair = found.pair(9, 2)
        hits += bool(found.flagged[pair])
        assert set(np.flatnonzero(found.flagged)) <= {pair}
        longest = found.passages[pair][0]
        assert longest.words >= 70
        assert plain[2][slice(*longest.first)] == plain[9][slice(*longest.second)]
    assert hits == 12
    assert alarms <= 2  # 5 % of rooms are allowed; 3 of 12 would happen with probability 0.02


def test_spelling_of_unicode_case_and_punctuation_do_not_hide_a_copy():
    texts = room(3)
    texts[5] = texts[1][:]
    plain = join(texts)
    plain[5] = unicodedata.normalize("NFD", plain[5].upper()).replace(" ", " — ")
    found = text_similarity(plain)
    pair = found.pair(1, 5)
    assert found.flagged[pair]
    assert found.jaccard[pair] == pytest.approx(1.0)
    (passage,) = found.passages[pair]
    assert passage.second == (0, len(plain[5]))


def test_what_the_form_prints_and_what_everybody_quotes_is_nobodys():
    law = "căn cứ luật tổ chức chính quyền địa phương và các nghị định của chính phủ có liên quan"
    heading = "phần một thực trạng của đơn vị và các nguyên nhân chủ yếu cần được nêu rõ"
    texts = join(room(4))
    bare = text_similarity(texts)
    dressed = text_similarity([f"{heading} {law} {text}" for text in texts], template=heading)
    assert dressed.longest.max() < 20
    np.testing.assert_allclose(dressed.jaccard, bare.jaccard, atol=0.02)
    two = [f"{law} {text}" if i < 2 else text for i, text in enumerate(texts)]
    assert text_similarity(two).longest[0] >= 18  # quoted by two only: it is theirs


def test_pairs_do_not_depend_on_the_order_of_texts():
    texts = join(room(6))
    found = text_similarity(texts)
    back = text_similarity(texts[::-1])
    n = len(texts)
    for pair, (i, j) in enumerate(zip(found.first, found.second, strict=True)):
        other = back.pair(n - 1 - i, n - 1 - j)
        assert found.jaccard[pair] == back.jaccard[other]
        assert found.longest[pair] == back.longest[other]
        assert found.p[pair] == pytest.approx(back.p[other], abs=1e-6)


def test_short_texts_are_described_but_not_tested():
    texts = [*join(room(7)), "quá ngắn"]
    found = text_similarity(texts)
    short = (found.first == 16) | (found.second == 16)
    assert np.isnan(found.p[short]).all()
    assert np.isfinite(found.p[~short]).all()
    assert not found.flagged[short].any()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: text_similarity(["a"]), TooFewObservations, "two texts"),
        (lambda: text_similarity(["a b c"] * 20), TooFewObservations, "test=False"),
        (lambda: text_similarity(join(room(1, 9))), TooFewObservations, "usual"),
        (lambda: text_similarity(["a", "b"], shingle=1, test=False), BadParameters, "two words"),
        (lambda: text_similarity(["a", 3], test=False), BadParameters, "string"),
        (lambda: text_similarity(["a", "b"], names=["x"], test=False), BadParameters, "one each"),
        (lambda: text_similarity(["a", "b"], alpha=2, test=False), BadParameters, "alpha"),
        (lambda: text_similarity(["a", "b"], test=False).pair(1, 1), BadParameters, "no pair"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_empty_and_identical_texts_give_finite_answers():
    found = text_similarity(["", "", "a b"], test=False)
    assert found.jaccard.tolist() == [0.0, 0.0, 0.0]
    same = text_similarity(join([room(8)[0]] * 12))
    assert np.isfinite(same.p).all()
