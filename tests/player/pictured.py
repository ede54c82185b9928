"""A bank with one item of each kind that lies on a picture, is played or is pressed, with its right answer."""

from __future__ import annotations

import base64
import io
import wave
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from PIL import Image, ImageDraw

from question_banks import read_bank
from question_banks.model import Bank

AREAS = """[
  { id = "north", text = "Bắc", shape = "rect", coordinates = [20, 20, 120, 80], match_max = 1 },
  { id = "middle", shape = "circle", coordinates = [200, 120, 40], match_max = 2 },
  { id = "south", text = "Nam", shape = "poly", coordinates = [40, 160, 140, 160, 90, 230], match_max = 1 },
]"""


def picture(width: int, height: int) -> bytes:
    image = Image.new("RGB", (width, height), "#eef3ee")
    pen = ImageDraw.Draw(image)
    pen.rectangle((20, 20, 120, 80), outline="#335")
    pen.ellipse((160, 80, 240, 160), outline="#335")
    held = io.BytesIO()
    image.save(held, "PNG")
    return held.getvalue()


def sound(seconds: float) -> bytes:
    held = io.BytesIO()
    with wave.open(held, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(1)
        written.setframerate(8000)
        written.writeframes(b"\x80" * int(8000 * seconds))
    return held.getvalue()


MEDIA = {"map": ("image/png", picture(300, 240)), "thing": ("image/png", picture(24, 24)), "talk": ("audio/wav", sound(0.4))}


def text() -> str:
    """The bank in the native format."""
    keys = {name: sha256(data).hexdigest() for name, (_, data) in MEDIA.items()}
    on_map = f'{{ media = "media/{keys["map"]}", width = 300, height = 240, alternative = "Sơ đồ ba vùng" }}'
    thing = f'{{ media = "media/{keys["thing"]}", width = 24, height = 24, alternative = "Biển báo" }}'
    talk = f'{{ media = "media/{keys["talk"]}", alternative = "Bài phát biểu" }}'
    things = '[{ id = "t1", text = "Kho", match_max = 1 }, { id = "t2", text = "Trạm", match_max = 1 }]'
    rows = '[{ id = "r1", text = "Xăng", match_max = 1 }, { id = "r2", text = "Điện", match_max = 1 }]'
    columns = '[{ id = "k1", text = "Có", match_max = 0 }, { id = "k2", text = "Không", match_max = 0 }]'
    items = {
        "hotspot": (f'kind = "hotspot", picture = {on_map}, targets = {AREAS}, max_choices = 1', "identifier", "single", ["middle"], ""),
        "hotspots": (f'kind = "hotspot", picture = {on_map}, targets = {AREAS}, max_choices = 2', "identifier", "multiple", ["north", "south"], ""),
        "graphic-order": (f'kind = "graphic-order", picture = {on_map}, targets = {AREAS}, max_choices = 0', "identifier", "ordered", ["south", "north", "middle"], ""),
        "graphic-associate": (f'kind = "graphic-associate", picture = {on_map}, targets = {AREAS}, max_choices = 2', "pair", "multiple", ["north middle"], ""),
        "graphic-gap-match": (f'kind = "graphic-gap-match", picture = {on_map}, choices = {things}, targets = {AREAS}, max_choices = 0', "directedPair", "multiple", ["t1 north", "t2 south"], ""),
        "select-point": (f'kind = "select-point", picture = {on_map}, max_choices = 1', "point", "single", [], ', areas = { entries = [{ shape = "circle", coordinates = [200, 120, 40], value = "1" }], default = "0" }'),
        "select-points": (f'kind = "select-point", picture = {on_map}, max_choices = 2', "point", "multiple", [], ', areas = { entries = [{ shape = "rect", coordinates = [20, 20, 120, 80], value = "1" }, { shape = "circle", coordinates = [200, 120, 40], value = "1" }], default = "0" }'),
        "position-object": (f'kind = "position-object", picture = {on_map}, choices = [{{ id = "object", picture = {thing} }}], max_choices = 1', "point", "single", [], ', areas = { entries = [{ shape = "rect", coordinates = [20, 20, 120, 80], value = "1" }], default = "0" }'),
        "media": (f'kind = "media", picture = {talk}, max_choices = 2, min_choices = 1', "integer", "single", [], ', mapping = { entries = [{ key = "1", value = "1" }], default = "0" }'),
        "end-attempt": ('kind = "end-attempt", prompt = "Tôi đã đọc hết", max_choices = 1', "boolean", "single", ["true"], ""),
        "matrix": (f'kind = "match", choices = {rows}, targets = {columns}, max_choices = 0', "directedPair", "multiple", ["r1 k2", "r2 k1"], ""),
    }  # fmt: skip
    written = ['format = "examsvc-bank/1"', 'id = "pictured"', 'languages = ["vi"]']
    for name, (interaction, base, cardinality, correct, more) in items.items():
        method = "mapping" if more else "all-or-nothing"
        right = ", ".join(f'"{value}"' for value in correct)
        place = " [[RESPONSE]]" if name == "end-attempt" else ""
        written += [
            f'\n[[item]]\nid = "{name}"\nkind = "composite"\nmarks = "1"\nprompt = "Trả lời trên hình.{place}"',
            f'interaction = [{{ response = "RESPONSE", {interaction} }}]',
            f'response = [{{ id = "RESPONSE", base = "{base}", cardinality = "{cardinality}", correct = [{right}]{more} }}]',
            f'rule = [{{ response = "RESPONSE", method = "{method}" }}]',
        ]
    for name, (kind, data) in MEDIA.items():
        written.append(
            f'\n[[media]]\ndigest = "{keys[name]}"\ntype = "{kind}"\nname = "{name}"\ndata = "{base64.b64encode(data).decode()}"'
        )
    return "\n".join(written) + "\n"


def bank(folder: Path) -> Bank:
    path = folder / "pictured.toml"
    path.write_text(text(), encoding="utf-8")
    found = read_bank(path)
    assert not found.problems, found.problems
    return replace(found.bank)
