"""Similarity of texts: who wrote the same sentences?

Texts are read as syllables or words (Vietnamese is written in syllables, so no word segmentation is
needed), in lower case, Unicode NFC. What the form prints and what most candidates quote is set aside.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import t as student

from scoring.errors import BadParameters, TooFewObservations
from scoring.forensics.multiplicity import benjamini_hochberg, holm

MINIMUM_TEXTS = 10
"""Below this many texts (45 pairs) there is no telling what similarity is usual."""
MINIMUM_WORDS = 50
"""A shorter text is compared, but never tested: a heading can be half of it."""
SHINGLE = 5
QUOTED_BY = 0.5
"""Shingles in more than this share of the texts (and in at least three) count as common property."""

TAIL_FREEDOM = 6
"""Degrees of freedom of the null of whole texts: authors share subjects and phrases, so tails are heavy."""
MINIMUM_SCALE = 1.5
"""Least scale, in words, of the null of longest passages: set phrases come whole, and may meet by chance."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*", re.UNICODE)


@dataclass(frozen=True)
class Passage:
    """A run of words that two texts share: characters [start, stop) in each, and its length in words."""

    first: tuple[int, int]
    second: tuple[int, int]
    words: int


@dataclass(frozen=True, eq=False)
class TextSimilarity:
    """All pairs of texts, in the order (0,1), (0,2), …

    `first`, `second`: text numbers.  `jaccard`: shared shingles over all shingles of both, 0 to 1, exact.
    `containment`: shared over the shingles of the text that has fewer.  `cosine`: TF-IDF cosine of words.
    `longest`: words of the longest run in common that is nobody else's property.
    `p`: probability of such similarity between independent texts (NaN: not tested); `p_holm`, `q`: adjusted
    for the number of pairs (Holm; Benjamini–Hochberg).  `flagged`: p_holm ≤ alpha.
    `passages`: for each pair number with a shared shingle, the runs, longest first.
    `words`: length of each text.  `tested`: False where only description was asked for.
    """

    names: tuple[str, ...]
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    jaccard: NDArray[np.float64]
    containment: NDArray[np.float64]
    cosine: NDArray[np.float64]
    longest: NDArray[np.intp]
    p: NDArray[np.float64]
    p_holm: NDArray[np.float64]
    q: NDArray[np.float64]
    flagged: NDArray[np.bool_]
    passages: dict[int, tuple[Passage, ...]]
    words: NDArray[np.intp]
    alpha: float
    tested: bool

    def pair(self, one: int, other: int) -> int:
        """Number of the pair of two texts."""
        low, high = min(one, other), max(one, other)
        n = len(self.names)
        if not 0 <= low < high < n:
            raise BadParameters(f"There is no pair of texts {one} and {other}.")
        return low * n - low * (low + 1) // 2 + high - low - 1


def text_similarity(
    texts: Sequence[str],
    *,
    names: Sequence[str] | None = None,
    template: str = "",
    shingle: int = SHINGLE,
    alpha: float = 0.01,
    test: bool = True,
) -> TextSimilarity:
    """Compare every pair of texts, Vietnamese, English or mixed.

    `template`: the form that every candidate filled in; its wording is nobody's.  `shingle`: words per
    shingle, and the shortest shared passage that is reported.

    Two tests per pair, Bonferroni's min(1, 2 min p) of them as `p`: the whole text (Fisher z of the cosine
    after taking out each author's own level, scaled by both lengths, against a t null with median and quartile spread; Efron 2004)
    and the longest shared passage (Gumbel with location and scale from the pairs' median and quartile,
    scale at least that of random texts with these word frequencies and MINIMUM_SCALE; Karlin & Altschul 1990). Both nulls are
    taken from the pairs at hand: when most pairs are copies of each other, copying is the usual and is not
    found.  A flag is a reason to read the two passages, never a verdict.

    Raises TooFewObservations below MINIMUM_TEXTS texts of MINIMUM_WORDS words (ask with test=False for the
    description alone); BadParameters.  Not handled: translation, paraphrase, common sources on the web.
    """
    if shingle < 2:
        raise BadParameters("A shingle needs at least two words.")
    if not 0 < alpha < 1:
        raise BadParameters("alpha must lie between 0 and 1.")
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise BadParameters("Give the texts as a list of strings.")
    n = len(texts)
    if n < 2:
        raise TooFewObservations("Comparing needs at least two texts.")
    labels = tuple(str(i + 1) for i in range(n)) if names is None else tuple(str(name) for name in names)
    if len(labels) != n:
        raise BadParameters(f"{len(labels)} names for {n} texts: give one each.")
    read = [_Text(text) for text in texts]
    lengths = np.array([len(text.words) for text in read], dtype=np.intp)
    long_enough = lengths >= MINIMUM_WORDS
    if test and int(long_enough.sum()) < MINIMUM_TEXTS:
        raise TooFewObservations(
            f"{int(long_enough.sum())} texts have {MINIMUM_WORDS} words or more: below {MINIMUM_TEXTS} nothing can "
            "be said about what similarity is usual; test=False describes the pairs without probabilities."
        )
    vocabulary: dict[str, int] = {}
    coded = [_codes(text, vocabulary) for text in read]
    form = _codes(_Text(template), vocabulary)
    own = _without_common(_own_shingles(coded, form, shingle))
    sets = _incidence(own)
    first, second = np.triu_indices(n, 1)
    shared = np.asarray((sets @ sets.T).todense())[first, second]
    sizes = np.asarray(sets.sum(axis=1)).ravel()
    union = sizes[first] + sizes[second] - shared
    fewer = np.minimum(sizes[first], sizes[second])
    jaccard = np.divide(shared, union, out=np.zeros(shared.size), where=union > 0)
    containment = np.divide(shared, fewer, out=np.zeros(shared.size), where=fewer > 0)
    cosine = _cosines(coded, own, shingle, len(vocabulary))[first, second]
    longest = _short_runs(coded, form, shingle)[first, second]
    places = [_Places(keys) for keys in own]
    passages: dict[int, tuple[Passage, ...]] = {}
    for pair in np.flatnonzero(shared > 0):
        one, other = int(first[pair]), int(second[pair])
        runs = _runs(places[one], places[other], shingle)
        longest[pair] = max(longest[pair], max(words for _, _, words in runs))
        passages[int(pair)] = tuple(
            Passage(read[one].span(i, words), read[other].span(j, words), words) for i, j, words in runs
        )
    p = np.full(shared.size, np.nan)
    if test:
        usable = long_enough[first] & long_enough[second]
        p[usable] = np.minimum(
            1.0,
            2.0
            * np.minimum(
                _whole_text_p(cosine[usable], first[usable], second[usable], lengths),
                _passage_p(longest[usable], _match_probability(coded)),
            ),
        )
    adjusted = holm(p)
    with np.errstate(invalid="ignore"):
        flagged = adjusted <= alpha
    return TextSimilarity(
        labels,
        first,
        second,
        jaccard,
        containment,
        cosine,
        longest,
        p,
        adjusted,
        benjamini_hochberg(p),
        flagged,
        passages,
        lengths,
        alpha,
        test,
    )


class _Text:
    """Words of a text with their places in the original string."""

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise BadParameters("A text must be a string.")
        self.words: list[str] = []
        self.places: list[tuple[int, int]] = []
        for match in _WORD.finditer(_composable(text)):
            word = text[match.start() : match.end()]
            self.words.append(unicodedata.normalize("NFC", word).casefold())
            self.places.append(match.span())

    def span(self, start: int, words: int) -> tuple[int, int]:
        return self.places[start][0], self.places[start + words - 1][1]


def _codes(text: _Text, vocabulary: dict[str, int]) -> NDArray[np.intp]:
    return np.array([vocabulary.setdefault(word, len(vocabulary)) for word in text.words], dtype=np.intp)


def _composable(text: str) -> str:
    """The text with combining marks seen as letters, same length: NFD Vietnamese must not fall apart."""
    return "".join("a" if unicodedata.combining(ch) else ch for ch in text) if not text.isascii() else text


def _shingle_numbers(coded: Sequence[NDArray[np.intp]], size: int) -> list[NDArray[np.intp]]:
    """For each text the number of the shingle that begins at each word; equal shingles, equal numbers."""
    words = 1 + max((int(codes.max()) for codes in coded if codes.size), default=0)
    numbers = list(coded)
    for step in range(1, size):
        joined = [
            now[: codes.size - step] * words + codes[step:] for now, codes in zip(numbers, coded, strict=True)
        ]
        unique = np.unique(np.concatenate(joined))
        numbers = [np.searchsorted(unique, keys) for keys in joined]
    return numbers


def _own_shingles(
    coded: Sequence[NDArray[np.intp]], form: NDArray[np.intp], size: int
) -> list[NDArray[np.intp]]:
    """Shingle numbers by starting word; −1 where the shingle stands in the form."""
    *numbers, printed = _shingle_numbers([*coded, form], size)
    return [np.where(np.isin(keys, printed), -1, keys) for keys in numbers]


def _without_common(own: Sequence[NDArray[np.intp]]) -> list[NDArray[np.intp]]:
    """−1 also for shingles that most texts hold: laws' names, the post's title."""
    holders = np.bincount(np.concatenate([np.unique(keys[keys >= 0]) for keys in own]), minlength=1)
    common = np.flatnonzero(holders > max(2.0, QUOTED_BY * len(own)))
    return [np.where(np.isin(keys, common), -1, keys) for keys in own]


def _incidence(own: Sequence[NDArray[np.intp]]) -> sparse.csr_array:
    """texts × shingles, 1 where the text holds the shingle."""
    sets = [np.unique(keys[keys >= 0]) for keys in own]
    rows = np.repeat(np.arange(len(sets)), [keys.size for keys in sets])
    columns = np.concatenate(sets)
    shape = (len(sets), 1 + int(columns.max(initial=0)))
    return sparse.csr_array((np.ones(rows.size), (rows, columns)), shape=shape)


def _cosines(
    coded: Sequence[NDArray[np.intp]], own: Sequence[NDArray[np.intp]], size: int, words: int
) -> NDArray[np.float64]:
    """TF-IDF cosine of words that stand in at least one shingle of the author's own; tf = 1 + log count,
    idf = log((1 + n)/(1 + holders)) + 1."""
    kept = []
    for codes, keys in zip(coded, own, strict=True):
        inside = np.zeros(codes.size, dtype=bool)
        for step in range(size):
            inside[step : step + keys.size] |= keys >= 0
        kept.append(codes[inside])
    rows = np.repeat(np.arange(len(coded)), [codes.size for codes in kept])
    columns = np.concatenate(kept)
    counts = sparse.csr_array((np.ones(rows.size), (rows, columns)), shape=(len(coded), max(1, words)))
    counts.sum_duplicates()
    holders = np.bincount(counts.indices, minlength=counts.shape[1])
    counts.data = (1.0 + np.log(counts.data)) * (
        np.log((1.0 + len(coded)) / (1.0 + holders[counts.indices])) + 1.0
    )
    length = np.sqrt(np.asarray((counts * counts).sum(axis=1)).ravel())
    product = np.asarray((counts @ counts.T).todense())
    scale = np.outer(length, length)
    return np.asarray(np.divide(product, scale, out=np.zeros_like(product), where=scale > 0).clip(0.0, 1.0))


def _short_runs(coded: Sequence[NDArray[np.intp]], form: NDArray[np.intp], shingle: int) -> NDArray[np.intp]:
    """Longest common run up to shingle − 1 words, from common property removed at each length."""
    n = len(coded)
    longest = np.zeros((n, n), dtype=np.intp)
    for size in range(1, shingle):
        sets = _incidence(_own_shingles(coded, form, size))
        longest[np.asarray((sets @ sets.T).todense()) > 0] = size
    return longest


class _Places:
    """Where each shingle of a text stands."""

    def __init__(self, keys: NDArray[np.intp]) -> None:
        self.keys = keys.tolist()
        self.unique = np.unique(keys[keys >= 0])
        self.at: dict[int, list[int]] = defaultdict(list)
        for place, key in enumerate(self.keys):
            if key >= 0:
                self.at[key].append(place)


def _runs(one: _Places, other: _Places, size: int) -> list[tuple[int, int, int]]:
    """Maximal common runs (start, start, words), longest first; a word belongs to one run at most."""
    mine, theirs = one.keys, other.keys
    found: list[tuple[int, int, int]] = []
    for key in np.intersect1d(one.unique, other.unique, assume_unique=True).tolist():
        for i in one.at[key]:
            for j in other.at[key]:
                if i and j and mine[i - 1] >= 0 and mine[i - 1] == theirs[j - 1]:
                    continue
                length = 1
                limit = min(len(mine) - i, len(theirs) - j)
                while length < limit and mine[i + length] >= 0 and mine[i + length] == theirs[j + length]:
                    length += 1
                found.append((length + size - 1, i, j))
    found.sort(key=lambda run: (-run[0], run[1], run[2]))
    used_one: set[int] = set()
    used_other: set[int] = set()
    out: list[tuple[int, int, int]] = []
    for words, i, j in found:
        here, there = range(i, i + words), range(j, j + words)
        if used_one.isdisjoint(here) and used_other.isdisjoint(there):
            used_one.update(here)
            used_other.update(there)
            out.append((i, j, words))
    return out


def _whole_text_p(
    cosine: NDArray[np.float64],
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    words: NDArray[np.intp],
) -> NDArray[np.float64]:
    n = words.size
    z = np.arctanh(np.minimum(cosine, 1.0 - 1e-12))
    table = np.full((n, n), np.nan)
    table[first, second] = table[second, first] = z
    present = np.flatnonzero(~np.isnan(table).all(axis=1))
    level = np.zeros(n)
    for _ in range(20):  # median polish of a symmetric table: what each author has in common with all
        rest = table[present] - level[present, None] - level[None, :]
        change = 0.5 * np.nanmedian(rest, axis=1)
        level[present] += change
        if np.abs(change).max() < 1e-6:
            break
    # Short texts agree and differ by chance more than long ones.
    residual = (z - level[first] - level[second]) / np.sqrt(1.0 / words[first] + 1.0 / words[second])
    centre = float(np.median(residual))
    spread = max(
        float(np.quantile(residual, 0.75) - centre) / 0.6744897501960817,
        float(centre - np.quantile(residual, 0.25)) / 0.6744897501960817,
        1e-3,
    )
    return np.asarray(student.sf((residual - centre) / spread, TAIL_FREEDOM))


def _match_probability(coded: Sequence[NDArray[np.intp]]) -> float:
    counts = np.bincount(np.concatenate(coded))
    share = counts / counts.sum()
    return float(np.clip((share**2).sum(), 1e-6, 0.99))


def _passage_p(longest: NDArray[np.intp], match: float) -> NDArray[np.float64]:
    """Gumbel tail P(L ≥ l); location and scale from the pairs' median and upper quartile, never narrower
    than independent words allow: one more matching word costs the factor 1/match, real phrases less."""
    low, high = np.quantile(longest, [0.5, 0.75])
    gap = -np.log(np.log(1 / 0.75)) + np.log(np.log(2.0))
    scale = max(float(high - low) / gap, 1.0 / np.log(1.0 / match), MINIMUM_SCALE)
    location = float(low) + scale * np.log(np.log(2.0))
    return np.asarray(-np.expm1(-np.exp(-(longest - 0.5 - location) / scale)))
