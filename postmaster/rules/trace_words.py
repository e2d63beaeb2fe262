"""What a trace can say: verdicts, what an address is in the end, and the sentences for it."""

from collections.abc import Mapping
from enum import StrEnum

from ..errors import Phrase
from .expansion import Failure, How


class Verdict(StrEnum):
    """What becomes of mail to an address."""

    DELIVERED = "delivered"
    PARTLY = "partly"
    SENT_BACK = "sent back"
    REFUSED = "refused"
    PUT_OFF = "put off"


class State(StrEnum):
    """What a leaf of the tree is."""

    MAILBOX = "mailbox"
    ELSEWHERE = "elsewhere"
    NOBODY = "nobody"
    SUSPENDED = "suspended"
    UNDELIVERABLE = "undeliverable"
    UNSENDABLE = "unsendable"
    CIRCLE = "circle"
    UNREADABLE = "unreadable"


NOT_OURS = Phrase(
    "Mail to %(address)s is not for this server: the domain %(domain)s is not here, and "
    "strangers' mail to it is refused"
)
IS_A_ROUTE = Phrase("The mail server takes it for a route and refuses it, with 554")
IS_AN_OPTION = Phrase("The mail server refuses it, with 501")
NO_SUCH_ADDRESS = Phrase(
    "Mail to %(address)s is refused: there is no such user or alias, and no catch-all"
)
SUSPENDED = Phrase("Mail to %(address)s is refused: the user is suspended without mail")
NOBODY_AT_IT = Phrase("Mail to %(address)s is taken and then sent back: nobody is at this address")
NOBODY_AT_ONE = Phrase("Mail to %(address)s is taken and then sent back: nobody is at %(lost)s")
NOBODY_AT_ANY = Phrase(
    "Mail to %(address)s is taken and then sent back: nobody is at any of these: %(lost)s"
)
PARTLY = Phrase(
    "Mail to %(address)s arrives in part: nobody is at %(lost)s, and the sender gets a notice"
)
WHY_PUT_OFF: Mapping[Failure, Phrase] = {
    Failure.CIRCLE: Phrase(
        "Mail to %(address)s goes round in a circle: it is put off, and senders try again for "
        "days, in vain"
    ),
    Failure.TOO_MANY: Phrase(
        "Mail to %(address)s goes to more than %(limit)s addresses: Postfix puts it off, and "
        "senders try again for days, in vain"
    ),
    Failure.TOO_LONG: Phrase(
        "Mail to %(address)s leads to an address that is too long for Postfix: it is put off, "
        "and senders try again for days, in vain"
    ),
    Failure.NO_ADDRESS: Phrase(
        "Mail to %(address)s leads to an alias in whose destination is no address: it is put "
        "off, and senders try again for days, in vain"
    ),
}
TO_BOTH = Phrase(
    "Mail to %(address)s is delivered here, to %(here)s, and passed on to other servers, to "
    "%(elsewhere)s"
)
# By how many mailboxes here and addresses elsewhere get it: none, one, or more.
DELIVERED: Mapping[tuple[int, int], Phrase] = {
    (1, 0): Phrase("Mail to %(address)s is delivered to the mailbox %(here)s"),
    (2, 0): Phrase("Mail to %(address)s is delivered to %(here_count)s mailboxes here: %(here)s"),
    (0, 1): Phrase("Mail to %(address)s is passed on to another server, to %(elsewhere)s"),
    (0, 2): Phrase(
        "Mail to %(address)s is passed on to %(elsewhere_count)s addresses on other servers: "
        "%(elsewhere)s"
    ),
}
DOMAIN_IS_HERE = Phrase("The domain %(domain)s is one of this server's")
DOMAIN_IS_TWICE = Phrase("The domain %(domain)s is one of this server's; %(count)s rows say so")
DOMAIN_IS_NOT_HERE = Phrase("The domain %(domain)s is not one of this server's")
LISTED_AS_ALIAS = Phrase("The aliases know %(address)s, so mail to it is taken")
LISTED_AS_MAILBOX = Phrase("%(address)s is a mailbox, so mail to it is taken")
NOT_LISTED = Phrase("Neither the aliases nor the mailboxes know %(address)s: it is refused")
LEADS_ON: Mapping[How, Phrase] = {
    How.EXACT: Phrase("%(address)s is an alias and leads to %(goes_to)s"),
    How.BARE: Phrase(
        "%(address)s is known without its extension, as %(key)s, and leads to %(goes_to)s"
    ),
    How.CATCH_ALL: Phrase("The catch-all %(key)s takes %(address)s and leads to %(goes_to)s"),
}
IS_ITSELF = Phrase("%(key)s is a mailbox, which the email2email map leads to itself: %(goes_to)s")
WITHOUT_EXTENSION = Phrase(
    "%(address)s is delivered to the mailbox %(mailbox)s: Dovecot cuts the extension off"
)
FINALS: Mapping[State, Phrase] = {
    State.MAILBOX: Phrase("%(address)s is delivered to its mailbox"),
    State.ELSEWHERE: Phrase("%(address)s is passed on to another server"),
    State.NOBODY: Phrase("There is no mailbox %(address)s: the mail is sent back"),
    State.SUSPENDED: Phrase(
        "The mailbox %(address)s is suspended without mail: the mail is sent back"
    ),
    State.UNDELIVERABLE: Phrase(
        "Dovecot does not deliver to a name such as %(address)s: the mail is sent back"
    ),
    State.UNSENDABLE: Phrase(
        "Postfix does not send to a name such as %(address)s: the mail is sent back"
    ),
}
