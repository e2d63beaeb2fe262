"""What a planned change of the mail tables means for mail: what differs before and after.

Only what differs is said. Mail that nobody receives, before and after, is no difference,
but for mail that was refused and would now be taken and sent back. A new mailbox is expected
to get its own mail: it is said where it does not, whatever became of that mail before.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from ..errors import Phrase, Translate, fill
from ..models import AnyAlias, AnyUser, Domain
from . import addresses

# So many of the addresses where mail goes are named in a sentence.
MOST_NAMED = 3


class Kind(StrEnum):
    """What becomes of the mail of some addresses."""

    CIRCLE = "circle"
    REFUSED = "refused"
    SENT_BACK = "sent back"
    UNREACHED = "unreached"
    SHADOWED = "shadowed"
    SWALLOWED = "swallowed"
    PARTLY = "partly"
    INSTEAD = "instead"
    LESS = "less"
    ALSO = "also"
    ARRIVES = "arrives"


Names = tuple[str, ...]
Places = frozenset[str]
# What becomes of it, where it goes from then on, and where it does not go any more.
Change = tuple[Kind, Places, Places]
NOWHERE: Places = frozenset()
Changes = Mapping[str, Sequence[Change]]

# For one address, and for several: two at least.
SENTENCES: Mapping[Kind, tuple[Phrase, Phrase]] = {
    Kind.CIRCLE: (
        Phrase(
            "Mail to %(address)s would go round in a circle: senders try again for days, in vain"
        ),
        Phrase(
            "Mail to %(count)s addresses would go round in a circle: senders try again for days, "
            "in vain"
        ),
    ),
    Kind.REFUSED: (
        Phrase("Nobody will receive mail to %(address)s any more: it is refused"),
        Phrase("This stops mail to %(count)s addresses: it is refused"),
    ),
    Kind.SENT_BACK: (
        Phrase("Nobody will receive mail to %(address)s: it is taken and then sent back"),
        Phrase("Nobody will receive mail to %(count)s addresses: it is taken and then sent back"),
    ),
    Kind.UNREACHED: (
        Phrase("The mailbox %(address)s will get no mail: it goes to %(goes_to)s"),
        Phrase("%(count)s mailboxes will get no mail: it goes to %(goes_to)s"),
    ),
    Kind.SHADOWED: (
        Phrase("The mailbox %(address)s will get no mail any more: it goes to %(goes_to)s"),
        Phrase("%(count)s mailboxes will get no mail any more: it goes to %(goes_to)s"),
    ),
    Kind.SWALLOWED: (
        Phrase("The catch-all takes the mail of the mailbox %(address)s: it goes to %(goes_to)s"),
        Phrase("The catch-all takes the mail of %(count)s mailboxes: it goes to %(goes_to)s"),
    ),
    Kind.PARTLY: (
        Phrase("Mail to %(address)s will partly be sent back: nobody is at %(went_to)s"),
        Phrase("Mail to %(count)s addresses will partly be sent back: nobody is at %(went_to)s"),
    ),
    Kind.INSTEAD: (
        Phrase("Mail to %(address)s will go to %(goes_to)s instead of %(went_to)s"),
        Phrase("Mail to %(count)s addresses will go to %(goes_to)s instead of %(went_to)s"),
    ),
    Kind.LESS: (
        Phrase("Mail to %(address)s will not go to %(went_to)s any more"),
        Phrase("Mail to %(count)s addresses will not go to %(went_to)s any more"),
    ),
    Kind.ALSO: (
        Phrase("Mail to %(address)s will also go to %(goes_to)s"),
        Phrase("Mail to %(count)s addresses will also go to %(goes_to)s"),
    ),
    Kind.ARRIVES: (
        Phrase("Mail to %(address)s will go to %(goes_to)s"),
        Phrase("Mail to %(count)s addresses will go to %(goes_to)s"),
    ),
}
HARMLESS = frozenset({Kind.INSTEAD, Kind.LESS, Kind.ALSO, Kind.ARRIVES})
MORE = Phrase("%(more)s more")


@dataclass(frozen=True)
class Consequence:
    """One thing that changes, and for whose mail.

    ``goes_to`` and ``went_to`` are where that mail goes from then on, and does no longer.
    """

    kind: Kind
    addresses: tuple[str, ...]
    goes_to: tuple[str, ...] = ()
    went_to: tuple[str, ...] = ()

    @property
    def is_harmless(self) -> bool:
        """Whether all of the mail arrives, as somebody may well want it."""
        return self.kind in HARMLESS

    def sentence(self, translate: Translate = str, shown: Callable[[str], str] = str) -> str:
        """The consequence in English, or as ``translate`` gives it; addresses as ``shown``."""
        one, many = SENTENCES[self.kind]
        values: dict[str, Any] = {
            "address": shown(self.addresses[0]),
            "count": len(self.addresses),
            "goes_to": _named(self.goes_to, shown, translate),
            "went_to": _named(self.went_to, shown, translate),
        }
        return fill(one if len(self.addresses) == 1 else many, values, translate)


def _named(names: Sequence[str], shown: Callable[[str], str], translate: Translate) -> str:
    words = [shown(name) for name in names[:MOST_NAMED]]
    if len(names) > MOST_NAMED:
        words.append(fill(MORE, {"more": len(names) - MOST_NAMED}, translate))
    return ", ".join(words)


@dataclass(frozen=True)
class Planned:
    """Rows that would come and go. An alias's new row is its source and its destination.

    ``offers_copy``: the act gives its new mailbox its mail only if it is asked to (keep_copy).
    """

    gone_aliases: Sequence[AnyAlias] = ()
    new_aliases: Sequence[tuple[str, str]] = ()
    gone_users: Sequence[AnyUser] = ()
    new_users: Sequence[str] = ()
    gone_domains: Sequence[Domain] = ()
    offers_copy: bool = False

    @cached_property
    def touched(self) -> list[str]:
        """The addresses of these rows, in lower case."""
        named = [
            *(source for source, _destination in self.new_aliases),
            *self.new_users,
            *(alias.source for alias in self.gone_aliases),
            *(user.email for user in self.gone_users),
        ]
        return list(dict.fromkeys(address.lower() for address in named))


@dataclass(frozen=True)
class Outcome:
    """What becomes of mail to one address: who gets it, and at which addresses nobody does."""

    is_taken: bool
    is_endless: bool
    reaches: Places
    lost: Places


def differences(
    before: Mapping[str, Outcome], after: Mapping[str, Outcome], planned: Planned
) -> Changes:
    """What differs for each address; nothing for most."""
    catch_alls = {address for address in planned.touched if address.startswith("@")}
    gone = {user.email.lower() for user in planned.gone_users}
    new = {email.lower() for email in planned.new_users}
    found: dict[str, Sequence[Change]] = {}
    for address, was in before.items():
        swept = f"@{addresses.split(address)[1]}" in catch_alls
        losing = None if address in gone else Kind.SWALLOWED if swept else Kind.SHADOWED
        if address in new:
            found[address] = tuple(_of_new_mailbox(address, was, after[address]))
        else:
            found[address] = tuple(_differences(address, was, after[address], losing))
    return found


def grouped(changes: Changes) -> tuple[Consequence, ...]:
    """The changes of the same kind and places together, what is worst first."""
    groups: dict[tuple[Kind, Names, Names], list[str]] = {}
    for address, some in changes.items():
        for kind, goes_to, went_to in some:
            places = (tuple(sorted(goes_to)), tuple(sorted(went_to)))
            groups.setdefault((kind, *places), []).append(address)
    order = list(Kind)
    found = [Consequence(key[0], tuple(names), *key[1:]) for key, names in groups.items()]
    return tuple(sorted(found, key=lambda consequence: order.index(consequence.kind)))


def _of_new_mailbox(address: str, was: Outcome, will: Outcome) -> Iterator[Change]:
    if will.reaches == {address}:
        return  # as everybody expects
    if will.reaches and address not in will.reaches:
        yield Kind.UNREACHED, will.reaches, NOWHERE
        yield from _partly(was, will)
    elif will.is_taken and not will.is_endless and not will.reaches:
        yield Kind.SENT_BACK, NOWHERE, NOWHERE
    else:
        yield from _differences(address, was, will, None)


def _differences(
    address: str, was: Outcome, will: Outcome, losing: Kind | None
) -> Iterator[Change]:
    if will.is_endless:
        if not was.is_endless:
            yield Kind.CIRCLE, NOWHERE, NOWHERE
    elif not will.reaches:
        if will.is_taken and (was.reaches or not was.is_taken):
            yield Kind.SENT_BACK, NOWHERE, NOWHERE
        elif was.reaches:
            yield Kind.REFUSED, NOWHERE, NOWHERE
    elif not was.reaches:
        yield Kind.ARRIVES, will.reaches, NOWHERE
        yield from _partly(was, will)
    elif losing and address in was.reaches and address not in will.reaches | will.lost:
        yield losing, will.reaches, NOWHERE
    else:
        yield from _other_places(was, will)


def _other_places(was: Outcome, will: Outcome) -> Iterator[Change]:
    lost = will.lost - was.lost
    goes_to, went_to = will.reaches - was.reaches, was.reaches - will.reaches - lost
    if goes_to and went_to:
        yield Kind.INSTEAD, goes_to, went_to
    elif goes_to:
        yield Kind.ALSO, goes_to, NOWHERE
    elif went_to:
        yield Kind.LESS, NOWHERE, went_to
    yield from _partly(was, will)


def _partly(was: Outcome, will: Outcome) -> Iterator[Change]:
    if will.lost - was.lost:
        yield Kind.PARTLY, NOWHERE, will.lost - was.lost
