"""How rare a thing would be by chance, in words that a model can answer for."""

from __future__ import annotations

# A background model is tested on hundreds of pictures, not on 10^500 of them. Beyond this
# the exponent measures how far the model is left behind, not how rare the event is.
SUPPORTED = 6.0


def in_words(log10_false_alarms: float) -> str:
    """A number of false alarms (a-contrario, per picture) as a clause for an explanation.

    Parameters
    ----------
    log10_false_alarms : float
        log10 of the expected number of such events in one untouched picture, under the
        method's background model.

    Returns
    -------
    str
        "chance would show the like in one of 1000 pictures"; never rarer than one of a
        million, however small the number. The number itself belongs into the measurements.

    Examples
    --------
    >>> in_words(-3.2)
    'chance would show the like in about one of 1600 pictures'
    >>> in_words(-400.0)
    'chance would show the like in fewer than one of a million pictures'
    """
    if log10_false_alarms <= -SUPPORTED:
        return "chance would show the like in fewer than one of a million pictures"
    if log10_false_alarms >= 0:
        return "chance would show the like in an ordinary picture"
    one_of = 10**-log10_false_alarms
    digits = len(str(int(one_of))) - 2
    rounded = round(one_of, -digits) if digits > 0 else round(one_of)
    return f"chance would show the like in about one of {int(rounded)} pictures"
