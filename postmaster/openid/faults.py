"""What goes wrong with a provider, in words for both who sign in and admins."""

from typing import Any

from ..errors import Forbidden, Phrase, Unavailable

LONGEST_REASON = 300

FOR_STRANGERS = Phrase(
    "The sign-in provider cannot be asked at the moment, and the log says why. "
    "Accounts of PostMaster itself can sign in"
)
NOT_TRUSTED = Phrase(
    "The answer of the sign-in provider cannot be trusted, so nobody was signed in. "
    "The log says why"
)
NOT_BEGUN = Phrase("This sign-in was not begun in this browser, or too long ago")
BEGIN_AGAIN = Phrase("Begin again at the sign-in page")
NOT_ADMITTED = Phrase(
    'Your account may not use PostMaster: its claim "%(claim)s" does not have "%(value)s"'
)
PROVIDER_REFUSED = Phrase("The sign-in provider refused: %(reason)s")

SEE_PROVIDER = Phrase("See the provider's own log")
CHECK_ISSUER = Phrase("Check the issuer, and that a firewall lets this host through")
CHECK_CLIENT = Phrase(
    "Check the client's ID and secret, and that the provider knows PostMaster's address"
)
CHECK_CLOCK = Phrase("Check the provider's settings for this client, and both hosts' clocks")
CHECK_CA = Phrase(
    "Give the provider a certificate that this host trusts, or let this host trust its authority"
)
GRANT = Phrase(
    "Give the account this value at the provider, and let the provider send the claim to PostMaster"
)


class NotAnswered(Unavailable):
    """The provider could not be asked. ``advice`` says what to do."""

    what = Phrase("The sign-in provider cannot be asked now")

    def __init__(self, template: str, advice: Phrase, **values: Any):
        super().__init__(FOR_STRANGERS, in_full=template, **values)
        self.advice = advice


class Refused(Forbidden):
    """The answer is no, or none that can be trusted. ``detail`` is for the log.

    ``is_fault``: nobody's mistake who signs in, so that the log has it in any case.
    """

    def __init__(
        self,
        template: str,
        advice: Phrase,
        *,
        detail: str = "",
        is_fault: bool = False,
        **values: Any,
    ):
        super().__init__(template, **values)
        self.is_fault = is_fault
        self.advice = advice
        self.detail = detail


def not_trusted(detail: str) -> Refused:
    """The refusal of an answer that an attacker could have made."""
    return Refused(NOT_TRUSTED, CHECK_CLOCK, detail=detail, is_fault=True)


def refused_by_provider(reason: str) -> Refused:
    """The provider's own refusal, in its words."""
    return Refused(PROVIDER_REFUSED, SEE_PROVIDER, reason=shown(reason))


def shown(text: str) -> str:
    """Others' words, for one line of a log or a page."""
    return "".join(c if c.isprintable() else " " for c in text)[:LONGEST_REASON]
