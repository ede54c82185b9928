"""Areas of a picture: whether a point lies inside (QTI 3.0 information model, "ShapeEnum" and "Coords")."""

Point = tuple[int, int]
SHAPES = frozenset(("circle", "rect", "ellipse", "poly", "default"))


def inside(point: Point, shape: str, coordinates: tuple[int, ...]) -> bool:
    """Whether `point` lies in the area, its border included.

    circle: centre x, y, radius. rect: left, top, right, bottom. ellipse: centre x, y, horizontal and vertical radius.
    poly: x1, y1, x2, y2 …, closed by itself (even-odd rule). default: the whole picture. All in exact integers.
    """
    x, y = point
    c = coordinates
    if shape == "default":
        return True
    if shape == "circle" and len(c) == 3:
        return (x - c[0]) ** 2 + (y - c[1]) ** 2 <= c[2] ** 2
    if shape == "rect" and len(c) == 4:
        return min(c[0], c[2]) <= x <= max(c[0], c[2]) and min(c[1], c[3]) <= y <= max(c[1], c[3])
    if shape == "ellipse" and len(c) == 4 and c[2] > 0 and c[3] > 0:
        return (x - c[0]) ** 2 * c[3] ** 2 + (y - c[1]) ** 2 * c[2] ** 2 <= c[2] ** 2 * c[3] ** 2
    if shape == "poly" and len(c) >= 6 and len(c) % 2 == 0:
        return _in_polygon(x, y, [(c[i], c[i + 1]) for i in range(0, len(c), 2)])
    return False


def _in_polygon(x: int, y: int, corners: list[Point]) -> bool:
    odd = False
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
        cross = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        if cross == 0 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return True  # on the border
        if (y1 > y) != (y2 > y) and (cross > 0) == (y2 > y1):
            odd = not odd
    return odd


def well_formed(shape: str, coordinates: tuple[int, ...]) -> bool:
    """Whether the numbers fit the shape."""
    count = len(coordinates)
    sizes = {"circle": count == 3, "rect": count == 4, "ellipse": count == 4, "default": True}
    return sizes.get(shape, shape == "poly" and count >= 6 and count % 2 == 0)
