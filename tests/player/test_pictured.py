"""Items on pictures, recordings and tables: each answered by keyboard alone and by mouse, saved, reloaded and marked."""

from __future__ import annotations

import pytest

from tests.player import pictured

pytestmark = pytest.mark.browser

FULL = [
    "hotspot", "hotspots", "graphic-order", "graphic-associate", "graphic-gap-match", "select-point", "select-points",
    "position-object", "media", "end-attempt", "matrix",
]  # fmt: skip


@pytest.fixture(scope="module")
def items(tmp_path_factory):
    return pictured.bank(tmp_path_factory.mktemp("bank"))


@pytest.fixture
def open_item(sit, hall, items):
    hall.media |= {medium.key.removeprefix("media/"): (medium.type, medium.data) for medium in items.media.values()}

    def opened(name, **options):
        seat = sit(hall.seat(items, [[name]]), **options)
        if picture := seat.page.query_selector(".scene img"):
            picture.evaluate("picture => picture.decode()")  # until it is there
        return seat

    return opened


# ---- by mouse ----


def press(seat, x, y):
    """Presses the picture at a place in its own pixels (300 × 240)."""
    box = seat.page.query_selector(".scene img").bounding_box()
    seat.page.mouse.click(box["x"] + x * box["width"] / 300, box["y"] + y * box["height"] / 240)


def play(seat):
    seat.page.evaluate("document.querySelector('video').muted = true")
    seat.page.evaluate("document.querySelector('video').play()")


MOUSE = {
    "hotspot": lambda seat: press(seat, 200, 120),
    "hotspots": lambda seat: [press(seat, 60, 50), press(seat, 90, 190)],
    "graphic-order": lambda seat: [press(seat, x, y) for x, y in ((90, 190), (60, 50), (200, 120))],
    "graphic-associate": lambda seat: [press(seat, 60, 50), press(seat, 200, 120)],
    "graphic-gap-match": lambda seat: [
        press(seat, 60, 50),  # opens the select of that area
        seat.page.select_option("select:focus", label="A. Kho"),
        press(seat, 90, 190),
        seat.page.select_option("select:focus", label="B. Trạm"),
    ],
    "select-point": lambda seat: press(seat, 205, 118),
    "select-points": lambda seat: [press(seat, 60, 50), press(seat, 200, 120)],
    "position-object": lambda seat: press(seat, 60, 50),
    "media": play,
    "end-attempt": lambda seat: seat.page.click("text=Tôi đã đọc hết"),
    "matrix": lambda seat: [seat.page.click(".matrix tbody tr:nth-child(1) td >> nth=1"), seat.page.click(".matrix tbody tr:nth-child(2) td >> nth=0")],
}


# ---- by keyboard ----


def tab_to(seat, selector):
    """Goes to a control as a person without a mouse does."""
    for _ in range(60):
        if seat.evaluate("selector => document.activeElement?.matches(selector) ?? false", selector):
            return
        seat.page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached with the Tab key")


def keys(seat, *names):
    for name in names:
        seat.page.keyboard.press(name)


def point_by_keys(seat, *, left=0, up=0):
    """From the middle (150, 120); a large step is 30 pixels, a small one 3."""
    keys(seat, *["Shift+ArrowLeft"] * left, *["Shift+ArrowUp"] * up, "Enter")


def choose_by_keys(seat, selector, *letters):
    for index, typed in enumerate(letters):
        if typed:
            tab_to(seat, f'{selector}[data-nth="{index}"]')
            keys(seat, typed)


def number_selects(seat):
    seat.page.evaluate("document.querySelectorAll('.answer select').forEach((node, index) => { node.dataset.nth = index; })")


def selects(*letters):
    def act(seat):
        number_selects(seat)
        choose_by_keys(seat, "select", *letters)

    return act


def board(seat, *moves):
    tab_to(seat, ".board")
    for move in moves:
        point_by_keys(seat, **move)


KEYBOARD = {
    "hotspot": lambda seat: keys(seat, "b"),
    "hotspots": lambda seat: keys(seat, "a", "c"),
    "graphic-order": selects("C", "A", "B"),
    "graphic-associate": selects("B", "V"),  # the first letters of Bắc and of Vùng B
    "graphic-gap-match": selects("A", "B"),
    "select-point": lambda seat: board(seat, {"left": -0, "up": 0}),
    "select-points": lambda seat: board(seat, {"left": 3, "up": 2}),
    "position-object": lambda seat: board(seat, {"left": 3, "up": 2}),
    "media": lambda seat: [tab_to(seat, "video"), seat.page.evaluate("document.querySelector('video').muted = true"), keys(seat, "Space")],
    "end-attempt": lambda seat: [tab_to(seat, ".end-attempt button"), keys(seat, "Space")],
    "matrix": lambda seat: [
        tab_to(seat, ".matrix tr:nth-child(1) input"),
        keys(seat, "ArrowRight"),
        tab_to(seat, ".matrix tr:nth-child(2) input"),
        keys(seat, "Space"),
    ],
}
LESS = {"select-point": 0, "select-points": "1/2"}
"""Where the keys used here deliberately miss an area, what the answer earns."""


def marked(seat, items, name):
    return items[name].mark(seat.stored(1) or {})


@pytest.mark.parametrize("how", ["mouse", "keyboard"])
@pytest.mark.parametrize("name", FULL)
def test_each_kind_is_answered_saved_reloaded_and_marked(open_item, items, name, how):
    seat = open_item(name)
    (MOUSE if how == "mouse" else KEYBOARD)[name](seat)
    seat.wait_until(lambda: seat.stored(1) is not None, "an answer on the server")
    seat.wait_until(
        lambda: str(marked(seat, items, name).score) == ("1" if how == "mouse" or name not in LESS else {0: "0", "1/2": "0.5"}[LESS[name]]),
        "the marks of the right answer",
    )
    seat.wait_saved()
    stored = seat.stored(1)
    assert items[name].accepts(stored)
    assert seat.page.get_attribute("#palette .number", "data-state") == "answered"
    seat.open()
    seat.wait_for_screen("exam")
    assert seat.page.get_attribute("#palette .number", "data-state") == "answered"
    assert seat.stored(1) == stored
    assert len(seat.attempt.history[1]) == len({entry.digest for entry in seat.attempt.history[1]})  # a reload saves nothing


def test_what_is_chosen_shows_on_the_picture_and_below_it(open_item):
    seat = open_item("hotspots")
    press(seat, 60, 50)
    assert seat.page.query_selector_all(".area.chosen") != []
    assert seat.page.is_checked(".option input >> nth=0")
    press(seat, 90, 190)
    press(seat, 200, 120)  # one too many: said, and not chosen
    assert "nhiều" in seat.text(".choices .hint") or seat.page.is_visible(".choices .note")
    assert len(seat.page.query_selector_all(".area.chosen")) == 2
    press(seat, 60, 50)
    seat.wait_until(lambda: len((seat.stored(1) or {"RESPONSE": []})["RESPONSE"]) == 1)


def test_places_of_an_order_move_and_never_repeat(open_item):
    seat = open_item("graphic-order")
    seat.page.select_option("select >> nth=0", label="A. Bắc")
    seat.page.select_option("select >> nth=1", label="A. Bắc")
    assert seat.page.input_value("select >> nth=0") == ""
    press(seat, 60, 50)  # pressed again: taken out
    seat.wait_until(lambda: seat.stored(1) is None)


def test_a_point_is_taken_back_and_a_surplus_one_is_refused_aloud(open_item):
    seat = open_item("select-points")
    for x, y in ((60, 50), (200, 120), (10, 10)):
        press(seat, x, y)
    assert "Chỉ được đánh dấu 2 điểm" in seat.text(".pictured .note")
    seat.page.click('[aria-label="Bỏ điểm 1"]')
    seat.wait_until(lambda: len((seat.stored(1) or {"RESPONSE": []})["RESPONSE"]) == 1)
    assert seat.evaluate("document.activeElement.className") == "board"


def test_a_recording_is_played_no_more_often_than_allowed(open_item):
    seat = open_item("media")
    for plays in (1, 2):
        play(seat)
        seat.wait_stored(1, {"RESPONSE": str(plays)})
        seat.wait_until(lambda: seat.evaluate("document.querySelector('video').ended"))
    seat.evaluate("document.querySelector('video').play().catch(() => null)")
    seat.page.wait_for_timeout(500)
    assert seat.stored(1) == {"RESPONSE": "2"}
    assert "Còn được phát 0 lần" in seat.text(".media .hint")


def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(open_item):
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    for name in FULL:
        seat = open_item(name, width=390, height=844)
        found = axe.run(seat.page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"][:160]) for one in found] == [], name
        assert seat.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        seat.page.close()
