"""A program of twenty lines with which anybody repeats a draw: Python's standard library, nothing of ours.

It is written apart from ``draws`` on purpose: a loser who runs it does not run our code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_PROGRAM = '''import hashlib

seed = bytes.fromhex("{seed}")
{inputs}
counter = 0

def next_number(below):
    """The next number from 0 to below - 1 that the seed gives, all equally likely."""
    global counter
    while True:
        block = hashlib.sha256(b"examsvc.v1/draw.block\\0" + seed + b"\\0" + counter.to_bytes(8, "big")).digest()
        counter += 1
        value = int.from_bytes(block[:8], "big")
        if value < 2**64 - 2**64 % below:
            return value % below

drawn = list({drawn_from})
for place in range({places}):
    other = place + next_number(len(drawn) - place)
    drawn[place], drawn[other] = drawn[other], drawn[place]
{result}
'''


def program(seed: str, task: str, parameters: Mapping[str, Any]) -> str | None:
    """The program of one draw, with its numbers in it; None for an allocation, which takes more than a page."""
    if task == "permutation":
        return _PROGRAM.format(
            seed=seed,
            inputs=f"items = {_list(parameters['items'])}",
            drawn_from="items",
            places="len(items)",
            result="result = drawn\nprint(result)",
        )
    if task == "selection":
        return _PROGRAM.format(
            seed=seed,
            inputs=f"items = {_list(parameters['items'])}",
            drawn_from="items",
            places=int(parameters["count"]),
            result=f"result = drawn[:{int(parameters['count'])}]\nprint(result)",
        )
    if task == "assignment":
        return _PROGRAM.format(
            seed=seed,
            inputs=f"items = {_list(parameters['items'])}\nplaces = {_list(parameters['places'])}",
            drawn_from="places",
            places="len(items)",
            result="result = [[item, place] for item, place in zip(items, drawn)]\nprint(result)",
        )
    return None


def _list(codes: Any) -> str:
    """A list of codes, which are letters, digits and . _ - only, as Python writes it."""
    return json.dumps([str(one) for one in codes], ensure_ascii=True)
