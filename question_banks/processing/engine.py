from typing import Any


def process(item: Any, given: Any) -> Any:
    raise NotImplementedError
