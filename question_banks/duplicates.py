"""Duplicates of items: the same content, or nearly the same text.

Nearly the same: the sets of pairs of neighbouring words of two items overlap by at least a share (Jaccard). The search
is exact, not sampled: two sets that overlap by t share one of the rarest (1 − t)|set| + 1 pairs of each (prefix
filtering; Chaudhuri, Ganti and Kaushik 2006, "A primitive operator for similarity joins in data cleaning").
"""

import itertools
import re
from bisect import bisect, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from question_banks.model import Item
from question_banks.values import folded

NEARLY = Fraction(4, 5)
Places = dict[int, list[tuple[int, int]]]  # by the size of an item's set: where the pair stands in it, which item
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Duplicate:
    """`item` of the new ones is like `other`; similarity 1 and `same` when their digests are equal."""

    item: str
    other: str
    similarity: Fraction
    same: bool
    within: bool  # whether `other` is one of the new items itself


def shown_words(item: Item) -> list[str]:
    """The words a candidate sees, in the item's first language, folded; choices in alphabetical order."""
    language = item.languages[0] if item.languages else ""
    prompts = [item.body.plain(language)] + [i.prompt.plain(language) for i in item.interactions]
    choices = sorted(c.text.plain(language) for i in item.interactions for c in i.everything())
    return _WORD.findall(folded(" . ".join(prompts + choices), False, True))


def shingles(item: Item) -> frozenset[str]:
    """Pairs of neighbouring words; single words where there are fewer than two."""
    words = shown_words(item)
    return frozenset(f"{a} {b}" for a, b in itertools.pairwise(words)) or frozenset(words)


def duplicates(
    new: Iterable[Item], bank: Iterable[Item] = (), nearly: Fraction = NEARLY
) -> tuple[Duplicate, ...]:
    """Each new item's likeness to items of the bank and to earlier new items, greatest first per item.

    `nearly`: the least Jaccard similarity that counts, above 0 to 1. An item is not compared with one of the bank that
    has its identifier and its digest.
    """
    if not 0 < nearly <= 1:
        raise ValueError("nearly must be above 0 and at most 1.")
    old, fresh = list(bank), list(new)
    every = old + fresh
    sets = [shingles(item) for item in every]
    frequency = Counter(shingle for one in sets for shingle in one)
    postings: dict[str, Places] = defaultdict(dict)
    by_digest: dict[str, list[int]] = defaultdict(list)
    found: list[Duplicate] = []
    for place, (item, one) in enumerate(zip(every, sets, strict=True)):
        rare = sorted(one, key=lambda shingle: (frequency[shingle], shingle))
        prefix = rare[: len(one) - ceil(nearly * len(one)) + 1] if one else []
        is_new = place >= len(old)
        if is_new:
            near = _candidates(prefix, len(one), postings, nearly)
            likes = _likenesses(every, sets, place, near | set(by_digest[item.digest]), nearly, len(old))
            found += sorted(likes, key=lambda d: (-d.similarity, d.other))
        for rank, shingle in enumerate(prefix):
            insort(postings[shingle].setdefault(len(one), []), (rank, place))
        by_digest[item.digest].append(place)
    return tuple(found)


def _candidates(prefix: list[str], size: int, postings: Mapping[str, Places], nearly: Fraction) -> set[int]:
    """Items that share a rare pair and could still overlap enough from there on: all that is common stands behind the
    first common pair, so it is no more than the shorter rest (positional filtering; Xiao, Wang, Lin and Yu 2008,
    "Efficient similarity joins for near duplicate detection")."""
    over, under = nearly.numerator, nearly.numerator + nearly.denominator
    shortest, longest = ceil(nearly * size), int(size / nearly)
    near: set[int] = set()
    for rank, shingle in enumerate(prefix):
        for length, entries in postings.get(shingle, {}).items():
            common = -(-over * (size + length) // under)  # what sets of these sizes must share at least
            if shortest <= length <= longest and size - rank >= common:
                near.update(other for place, other in entries[: bisect(entries, (length - common + 1,))])
    return near


def _likenesses(
    every: list[Item], sets: list[frozenset[str]], place: int, near: set[int], nearly: Fraction, old: int
) -> list[Duplicate]:
    item, one = every[place], sets[place]
    result = []
    for other in near:
        same = every[other].digest == item.digest
        if same and other < old and every[other].id == item.id:
            continue
        common = len(one & sets[other])
        union = len(one) + len(sets[other]) - common
        if same or common * nearly.denominator >= nearly.numerator * union > 0:
            similarity = Fraction(1) if same else Fraction(common, union)
            result.append(Duplicate(item.id, every[other].id, similarity, same, other >= old))
    return result
