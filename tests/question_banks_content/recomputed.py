"""The key of every item that is a calculation, worked out again from the figures of its stem.

`s.table` holds the figures of the stem's table row by row, `s.prose` the numbers of the remaining text in order.
"""

from collections.abc import Callable
from fractions import Fraction
from math import ceil
from statistics import mean, median

from .stems import Stem, best, finish, ranked


def _slack_and_delay(s: Stem) -> tuple[Fraction, Fraction]:
    """Slack of task R, and by how much the whole is late when R is (the first number of the prose) days late."""
    plain, late = finish(s), finish(s, {"R": int(s.prose[0])})
    return plain["T"] - s.table[-1][0] - plain["R"], late["T"] - plain["T"]


def _water(s: Stem) -> Fraction:
    surcharge, use = s.prose
    first, second, third = (row[0] for row in s.table)
    return (10 * first + 10 * second + (use - 20) * third) * (1 + surcharge / 100)


# numeric items: the value to type
VALUES: dict[str, Callable[[Stem], Fraction]] = {
    "fin-02": lambda s: s.table[0][0] - s.table[1][0] - s.table[2][0],
    "mon-07": lambda s: sum(w * done for w, done in s.table) / sum(w for w, _ in s.table),
    "plan-01": lambda s: max(finish(s).values()),
    "risk-03": lambda s: (s.prose[0] - s.prose[3]) / 100 * s.prose[1] - s.prose[2],
    "perf-03": lambda s: (s.prose[0] * 100 - sum(r[0] * r[1] for r in s.table[:2])) / s.table[2][0],
    "meet-04": lambda s: (
        s.prose[0] * s.prose[1] - s.prose[3] * s.prose[4] - s.prose[6] * s.prose[7]
    ) * s.prose[2] / 60,
    "num-02": lambda s: 100 * (s.table[1][0] / s.table[0][0] - s.table[2][0] / s.table[1][0]),
    "num-04": lambda s: Fraction(ceil(s.prose[0] * s.prose[1] / 60)),
    "num-05": lambda s: s.prose[1] / (s.prose[3] - s.prose[2]) * 60,
    "num-09": lambda s: s.prose[1] / (1 - s.prose[0] / 100),
    "num-13": lambda s: (s.prose[0] - s.prose[2]) / (s.prose[3] - s.prose[1]),
    "num-15": lambda s: (1 - s.prose[3] * (1 / s.prose[1] + 1 / s.prose[2])) * s.prose[1],
    "num-18": lambda s: s.prose[0] / (s.prose[1] * s.prose[2] * s.prose[3] / 100),
    "num-19": lambda s: (max(s.prose) - sum(s.table[0])) / (min(s.prose) - len(s.table[0])),
    "num-23": _water,
}  # fmt: skip

# gap items: the value of each gap; a string is the label of the right choice
GAPS: dict[str, Callable[[Stem], dict[str, Fraction | str]]] = {
    "fin-10": lambda s: {
        "g1": 100 * sum(s.columns[1]) / sum(s.columns[0]),
        "g2": s.table[2][1] / 9 * 12 - s.table[2][0],
        "g3": best(s, [1 - spent / budget for budget, spent in s.table]),
    },
    "plan-05": lambda s: {
        "g1": _expected(s.table[0]),
        "g2": sum(map(_expected, s.table)),
        "g3": best(s, [row[2] - row[0] for row in s.table]),
    },
    "num-07": lambda s: {
        "g1": _reserve(s, Fraction(0)),
        "g2": _reserve(s, s.prose[1] / 100),
        "g3": 100 * _reserve(s, s.prose[1] / 100) / s.prose[0],
    },
    "num-20": lambda s: {
        "g1": 100 * sum(s.columns[0][:2]) / s.prose[0],
        "g2": Fraction(95, 100) * s.prose[0] - sum(s.columns[0][:2]),
        "g3": s.labels[next(i for i in range(4) if sum(s.columns[0][: i + 1]) > s.prose[0] / 2)],
    },
    "ver-15": lambda s: {"g2": s.prose[0]},
}


def _expected(row: list[Fraction]) -> Fraction:
    return (row[0] + 4 * row[1] + row[2]) / 6


def _reserve(s: Stem, moved: Fraction) -> Fraction:
    """Reserve when a share of Operations (second row) is moved to it."""
    shares = s.columns[0]
    return s.prose[0] * (100 - sum(shares) + moved * shares[1]) / 100


# choice items: the numbers that the text of the key states, in order
NUMBERS: dict[str, Callable[[Stem], list[Fraction]]] = {
    "del-07": lambda s: [sum(n[-1] for row, n in zip(s.rows, s.table, strict=True) if row[1] == "Minh Khải")],
    "fin-04": lambda s: [s.prose[1], s.prose[2]] if s.prose[2] < s.prose[1] else [],
    "fin-05": lambda s: [10 * (_life(s, 0) - _life(s, 1)), s.prose[1]],
    "dig-05": lambda s: [100 * s.table[1][1] / s.table[1][0], 100 * s.table[0][1] / s.table[0][0]],
    "mon-06": lambda s: [Fraction(round(mean(s.table[0])))],
    "plan-02": lambda s: [_slack_and_delay(s)[0]] if _slack_and_delay(s)[1] == 0 else [],
    "peo-03": lambda s: [max(s.columns[2])],
    "num-03": lambda s: [s.prose[1] - s.prose[0], 100 * (s.prose[1] - s.prose[0]) / s.prose[0]],
    "num-06": lambda s: [s.prose[0] * s.prose[1] / 60],
    "num-08": lambda s: [
        (s.prose[0] * s.prose[1] + s.prose[2] * s.prose[3]) / (s.prose[0] + s.prose[2])
    ],
    "num-10": lambda s: [100 - 100 * (1 + s.prose[0] / 100) * (1 - s.prose[1] / 100)],
    "num-14": lambda s: [s.prose[0] * s.table[0][0] / sum(s.columns[0])],
    "num-16": lambda s: [median(s.prose)],
    "num-17": lambda s: [Fraction(round(_forged(*s.prose)))],
    "num-21": lambda s: [s.prose[0] * s.prose[2] * s.prose[3] / 100 * s.prose[4] / 1_000_000],
}  # fmt: skip


def _life(s: Stem, model: int) -> Fraction:
    """Cost of one projector over the years stated: price, lamps and electricity."""
    price, lamps, power = s.columns[model]
    return price + s.prose[1] * (lamps + power)


def _forged(files: Fraction, share: Fraction, found: Fraction, wrong: Fraction) -> Fraction:
    """Percentage of flagged files that are forged."""
    forged = files * share / 100
    true, false = forged * found / 100, (files - forged) * wrong / 100
    return 100 * true / (true + false)


# choice items whose key is the name of a row of the table
LABELS: dict[str, Callable[[Stem], str]] = {
    "num-01": lambda s: best(s, [money / people for people, money in s.table]),
    "num-12": lambda s: best(s, [Fraction((s.prose[0] - fixed) // each) for fixed, each in s.table]),
}

# order items: the labels from first to last
ORDERS: dict[str, Callable[[Stem], list[str]]] = {
    "risk-04": lambda s: ranked(s, [(likely * impact, impact) for likely, impact in s.table]),
    "num-26": lambda s: ranked(s, [((now - before) / before,) for before, now in s.table]),
}

# items whose key is a statement: what must hold for the key, and fail for the distractors that claim a figure
FACTS: dict[str, Callable[[Stem], bool]] = {
    # uploading loses the largest share and the largest number
    "dig-06": lambda s: (
        max(range(1, 5), key=lambda i: 1 - s.table[i][0] / s.table[i - 1][0]) == 3
        and max(range(1, 5), key=lambda i: s.table[i - 1][0] - s.table[i][0]) == 3
        and s.table[3][0] / s.table[2][0] == Fraction(1, 2)
    ),
    # working hours are named by more than half of those asked, and the reasons add up
    "pol-03": lambda s: (
        s.table[2][0] / sum(s.columns[0]) > Fraction(1, 2) and sum(s.columns[0]) == s.prose[1]
    ),
    # the last three months hardly differ from the first three; month 8 is not far from month 3
    "mon-06": lambda s: (
        abs(mean(s.table[0][6:]) - mean(s.table[0][:3])) < Fraction(1, 20)
        and max(s.table[0]) - s.table[0][2] <= Fraction(1, 10)
    ),
    # one officer has most complex files and most overtime
    "peo-03": lambda s: all(2 * max(column) > sum(column) for column in s.columns[1:]),
    # each branch's percentages are right; East leads in both kinds and trails overall
    "perf-02": lambda s: _branches(s),
    # a share of use that falls by 36 points when support leaves
    "chg-05": lambda s: s.table[0][2] - s.table[1][0] == 36,
    # women follow from the total and the ratio alone
    "num-11": lambda s: s.prose[0] * s.prose[3] / (s.prose[2] + s.prose[3]) == 140,
    # accidents up by a third, the rate down by a sixth, vehicles up by 60%
    "num-22": lambda s: (
        s.table[2][1] / s.table[0][1] == Fraction(4, 3)
        and (s.table[2][1] / s.table[2][0]) / (s.table[0][1] / s.table[0][0]) == Fraction(5, 6)
        and s.table[2][0] / s.table[0][0] == Fraction(8, 5)
    ),
    # shares of postgraduates and of women among them; over all below 40%
    "num-25": lambda s: (
        [r[1] / r[0] for r in s.table] == [Fraction(2, 5), Fraction(3, 10), Fraction(1, 2)]
        and s.table[1][2] / s.table[1][1] == Fraction(2, 3)
        and s.table[2][2] / s.table[2][1] < Fraction(1, 2)
        and sum(s.columns[1]) / sum(s.columns[0]) < Fraction(2, 5)
    ),
    # fewer than half of those who answered are against
    "ver-06": lambda s: (s.prose[1] - s.prose[2]) / s.prose[1] == Fraction(1, 4),
    # two thirds of 15 are 10; more than half of 10 is at least 6
    "ver-16": lambda s: s.prose[0] * 2 / 3 == s.prose[1] and s.prose[1] // 2 + 1 == 6,
    # more than 50 people
    "ver-03": lambda s: s.prose[1] > s.prose[0],
}


def _branches(s: Stem) -> bool:
    done: list[tuple[Fraction, Fraction]] = []
    for right, total, percent, right2, total2, percent2, overall in s.table:
        rates = (right / total, right2 / total2)
        if [100 * rate for rate in rates] != [percent, percent2]:
            return False
        if 100 * (right + right2) / (total + total2) != overall:
            return False
        done.append(rates)
    east, west = done
    return all(e > w for e, w in zip(east, west, strict=True)) and s.table[0][-1] < s.table[1][-1]
