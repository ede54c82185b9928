"""How much a reader takes before it refuses: settings, not constants in code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds that every reader keeps. Sizes in bytes unless said otherwise.

    They bound memory as well: XML is refused by size before it is parsed, archive members before they are
    unpacked, and a member that unpacks to more than it declared stops the reading of it.
    """

    file_size: int = 200_000_000  # the file as handed in
    text_size: int = 80_000_000  # any one XML, GIFT, CSV or TOML text
    item_size: int = 2_000_000  # the text of one item
    archive_members: int = 50_000
    archive_size: int = 400_000_000  # all members together, unpacked
    compression_ratio: int = 200  # of one member above a megabyte
    media_size: int = 20_000_000  # one picture, sound or film
    depth: int = 100  # nesting of elements, of expressions, of brackets
    elements: int = 2_000_000  # of one XML text, its attributes counted with them
    items: int = 50_000
    choices: int = 400  # of one interaction
    interactions: int = 200  # of one item
    characters: int = 20_000  # of one text of an item
    marks: int = 1_000_000  # of one item
    rows: int = 100_000  # of a table
    cells: int = 400  # of a row
    problems: int = 20_000  # reported; the rest is counted
    evaluation_steps: int = 200_000  # of response or template processing of one item
    response_size: int = 200_000  # characters of one response
    response_values: int = 400  # values of one response


LIMITS = Limits()
