"""Answer files with planted faults, for the tests of the report."""

import csv
import io

import numpy as np

OPTIONS = "ABCD"


def exam(n=320, items=30, seed=7):
    """Bytes of a multiple-choice exam as a Vietnamese spreadsheet saves it, and of its key.

    Planted: the key of Câu 7 is wrong, Câu 12 is 1.3 logits harder for women, Câu 21 copies Câu 20, and three
    candidates (their numbers are returned) guess everything but the hardest items.
    """
    rng = np.random.default_rng(seed)
    ability = rng.standard_normal(n)
    difficulty = rng.permutation(np.linspace(-2.2, 1.6, items))
    difficulty[[6, 11, 19]] = (-0.5, 0.0, 0.0)
    slope = np.exp(rng.normal(0.1, 0.25, items))
    woman = rng.random(n) < 0.45
    p = 1 / (1 + np.exp(-slope * (ability[:, None] - difficulty)))
    p[:, 11] = 1 / (1 + np.exp(-(ability - 1.3 * woman)))
    right = rng.random((n, items)) < p
    right[:, 20] = np.where(rng.random(n) < 0.85, right[:, 19], right[:, 20])
    key = rng.choice(list(OPTIONS), items)
    answers = np.empty((n, items), dtype=object)
    for j in range(items):
        wrong = [option for option in OPTIONS if option != key[j]]
        answers[:, j] = np.where(right[:, j], key[j], rng.choice(wrong, n, p=[0.5, 0.3, 0.2]))
    guessers = sorted(rng.choice(n, 3, replace=False).tolist())
    hardest = np.argsort(difficulty)[-8:]
    for i in guessers:
        answers[i] = rng.choice(list(OPTIONS), items)
        answers[i, hardest] = key[hardest]
    answers[rng.random((n, items)) < 0.01] = ""
    key[6] = next(option for option in OPTIONS if option != key[6])
    names = [f"Câu {j + 1}" for j in range(items)]
    rows = [[f"TS{i + 1:04d}", "Nữ" if woman[i] else "Nam", *answers[i]] for i in range(n)]
    return (
        written([["SBD", "Giới tính", *names], *rows], ";", "utf-8-sig"),
        written([["Câu", "Đáp án"], *zip(names, key)], ",", "utf-8"),
        [f"TS{i + 1:04d}" for i in guessers],
    )


def written(rows, delimiter=",", encoding="utf-8"):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode(encoding)


def scored(n, items, seed=1, categories=2, number=True):
    """Bytes of a scored paper, Rasch or (with more categories) logistic steps; 0 … categories − 1."""
    rng = np.random.default_rng(seed)
    ability = rng.standard_normal((n, 1))
    latent = ability - np.linspace(-1.5, 1.5, items) + rng.logistic(size=(n, items))
    cuts = np.linspace(-1.2, 1.2, categories - 1) if categories > 2 else np.zeros(1)
    x = (latent[:, :, None] > cuts).sum(axis=2)
    head = [*(["SBD"] if number else []), *(f"C{j + 1}" for j in range(items))]
    rows = [[*([f"T{i + 1}"] if number else []), *x[i]] for i in range(n)]
    return written([head, *rows]), x
