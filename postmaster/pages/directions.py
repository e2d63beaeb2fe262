"""Text of any direction within a sentence: it must not turn what stands around it.

Unicode Standard Annex 9: letters of right-to-left scripts reorder their neighbours, and
directional marks (which a name can hold that came by hand) turn all the rest of a line.
"""

import unicodedata

RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
MARKS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
FIRST_STRONG_ISOLATE = "\N{FIRST STRONG ISOLATE}"
POP_ISOLATE = "\N{POP DIRECTIONAL ISOLATE}"


def isolated(text: str) -> str:
    """The text with each directional mark made visible, and set apart if it needs to be."""
    if text.isascii():
        return text
    kinds = {unicodedata.bidirectional(character) for character in text}
    if not kinds & (RIGHT_TO_LEFT | MARKS):
        return text
    visible = "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.bidirectional(character) in MARKS else character
        for character in text
    )
    return f"{FIRST_STRONG_ISOLATE}{visible}{POP_ISOLATE}"
