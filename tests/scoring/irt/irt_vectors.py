"""Reading the cases in tests/vectors/irt (see ORIGIN.md there) and calibrating each data set once."""

import csv
import functools
import json
from pathlib import Path

import numpy as np

from scoring.irt import ItemParameters, LogNormal, Normal, Priors, calibrate

FOLDER = Path(__file__).parents[2] / "vectors" / "irt"
FILES = ("dichotomous", "dichotomous_missing", "polytomous", "groups", "linking", "hand")

PEER_PRIORS = Priors(slope=LogNormal(0.0, 0.5), lower_asymptote=Normal(-1.5, 0.5))
MIXED = ("2PL",) * 6 + ("GPCM",) * 4

# tag of the cases: (data, model, priors)
DICHOTOMOUS = {
    "rasch": ("Rasch", None),
    "1pl": ("1PL", None),
    "2pl": ("2PL", None),
    "3pl": ("3PL", PEER_PRIORS),
}
POLYTOMOUS = {
    "grm": ("poly", "GRM"),
    "gpcm": ("poly", "GPCM"),
    "pcm": ("poly", "PCM"),
    "rsm": ("poly", "RSM"),
    "thin.grm": ("poly_thin", "GRM"),
    "thin.gpcm": ("poly_thin", "GPCM"),
    "thin.pcm": ("poly_thin", "PCM"),
    "mixed": ("mixed", MIXED),
}


@functools.cache
def cases(file):
    return json.loads((FOLDER / f"{file}.json").read_text())["cases"]


@functools.cache
def table(name):
    """A CSV of numbers; an empty cell is NaN. Text in the first column is dropped."""
    with open(FOLDER / "data" / f"{name}.csv", newline="") as file:
        rows = list(csv.reader(file))[1:]

    def cell(text):
        try:
            return float(text) if text else np.nan
        except ValueError:
            return None

    values = [[cell(text) for text in row] for row in rows]
    skip = 1 if values[0][0] is None else 0
    out = np.array([row[skip:] for row in values], dtype=float)
    out.setflags(write=False)
    return out


@functools.cache
def dichotomous(file, tag):
    model, priors = DICHOTOMOUS[tag]
    return calibrate(table("dich" if file == "dichotomous" else "dich_na"), model, priors=priors)


@functools.cache
def polytomous(tag):
    data, model = POLYTOMOUS[tag]
    return calibrate(table(data), model)


def numbers(values):
    return np.array([np.nan if v is None or isinstance(v, str) else v for v in values], dtype=float)


def peer_items(block, model):
    """Items from a slope-intercept block of a dichotomous case."""
    v = np.array(block["values"], dtype=float)
    return ItemParameters.of(model, slope=v[:, 0], difficulty=-v[:, 1] / v[:, 0], lower_asymptote=v[:, 2])


def close(ours, theirs, tolerance, relative=False):
    """Largest difference where the other side has a number; NaN of ours there is a failure."""
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    known = np.isfinite(theirs)
    assert known.any()
    assert np.isfinite(ours[known]).all()
    difference = np.abs(ours - theirs)[known]
    if relative:
        difference /= np.abs(theirs[known])
    assert difference.max() <= tolerance, f"{difference.max():.3g} > {tolerance:g}"
