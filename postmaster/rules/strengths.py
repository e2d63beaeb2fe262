"""How hard a password is to guess, as zxcvbn estimates it. Pure.

An estimate for people to look at; what is accepted is in ``passwords``.
"""

# zxcvbn's time grows with the length, and what is longer is strong enough.
LOOKED_AT = 64


def score(password: str) -> int:
    """From 0, guessed at once, to 4, strong."""
    if not password:
        return 0
    # Its lists of words take 12 MB, which a worker has only once somebody types a password.
    from zxcvbn import zxcvbn  # noqa: PLC0415 -- see above

    return int(zxcvbn(password[:LOOKED_AT])["score"])
