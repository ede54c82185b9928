"""Errors of the psychometric core: each says in one sentence what is wrong and what to do."""


class ScoringError(ValueError):
    """Base of every error that `scoring` raises on purpose."""


class BadResponses(ScoringError):
    """A response matrix that cannot be read: wrong shape, codes that are not categories, bad weights."""


class BadParameters(ScoringError):
    """Item parameters, priors or options that contradict each other or lie outside their range."""


class NotIdentified(ScoringError):
    """The data do not determine what was asked: one category only, no common items, disconnected designs."""


class TooFewObservations(ScoringError):
    """A method refuses because below this sample size its answer would mean nothing."""


class NotConverged(ScoringError):
    """An iteration reached its limit.

    `iterations` is the number spent, `change` the last change of the quantity the stopping rule watches
    (its unit is named in the message).
    """

    def __init__(self, message: str, *, iterations: int, change: float) -> None:
        super().__init__(message)
        self.iterations = iterations
        self.change = change
