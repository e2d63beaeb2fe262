"""How hard a password is to guess, as zxcvbn estimates it. Pure.

An estimate for people to look at; what is accepted is in ``passwords``.
"""

from zxcvbn import zxcvbn

# zxcvbn's time grows with the length, and what is longer is strong enough.
LOOKED_AT = 64


def score(password: str) -> int:
    """From 0, guessed at once, to 4, strong."""
    return int(zxcvbn(password[:LOOKED_AT])["score"]) if password else 0
