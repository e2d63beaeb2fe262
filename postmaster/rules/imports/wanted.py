"""One line of a file, normalised and checked as far as it can be without the database."""

from dataclasses import dataclass, field

from ...errors import Invalid
from ...models import User
from .. import addresses, alias_rules, domains, lengths, notes, passwords, suspensions, users
from ..actions import Kind
from .items import AliasItem, BadItem, DomainItem, Item, SkippedItem, UserItem
from .verdicts import Line, Options, Reason, Verdict


@dataclass(slots=True)
class Wanted:
    """What is to be there. With a verdict, it is settled already.

    ``name`` is the domain, the address or the source; ``domain`` the domain that it is in.
    ``needs_hash`` tells that a password is to be hashed, which takes milliseconds.
    ``derived``: it was not named, but is needed by something that was.
    """

    file: int
    line: int
    kind: str
    name: str
    domain: str = ""
    destination: str = ""
    password: str | None = field(default=None, repr=False)
    hashed: str | None = field(default=None, repr=False)
    generate: bool = False
    note: str | None = None
    suspended: str | None = None
    derived: bool = False
    verdict: Verdict | None = None
    reason: Reason | None = None

    @property
    def needs_hash(self) -> bool:
        """Whether a password has to be hashed for it."""
        return self.verdict is None and (self.password is not None or self.generate)

    @property
    def gives_password(self) -> bool:
        """Whether it says which password or hash the user is to have."""
        is_known = self.hashed is not None and self.hashed != suspensions.MARKER
        return self.password is not None or is_known

    def as_line(self, verdict: Verdict, reason: Reason | None = None) -> Line:
        """What becomes of it."""
        name = f"{self.name} -> {self.destination}" if self.kind == Kind.ALIAS else self.name
        return Line(self.file, self.line, self.kind, name, verdict, reason)


@dataclass(frozen=True)
class Normaliser:
    """Makes items what is wanted."""

    options: Options
    minimum_password: int

    def wanted(self, item: Item) -> Wanted:
        """The item, normalised, or settled with the rule that it breaks."""
        if isinstance(item, UserItem):
            return self._user(item)
        if isinstance(item, AliasItem):
            return _alias(item)
        if isinstance(item, DomainItem):
            return _domain(item)
        if isinstance(item, SkippedItem):
            reason = Reason(item.reason, item.values)
            return Wanted(item.file, item.line, "", item.name, verdict=Verdict.SKIP, reason=reason)
        return _refused(item, "", "", item.error)

    def _user(self, item: UserItem) -> Wanted:
        hashed = item.hashed
        if hashed is not None and len(hashed) > lengths.of(User.password):
            # As doveadm pw prints it; the guides' column has no room for the scheme's name.
            hashed = passwords.without_default_scheme(hashed)
        try:
            address = users.normalised(item.email)
            if item.password is not None:
                users.check_password(item.password, self.minimum_password)
            elif hashed is not None and not _is_not_kept(item):
                users.check_hash(hashed)
            suspended = _mode(item.suspended, address)
            note = _note(item.note)
        except Invalid as error:
            return _refused(item, Kind.USER, item.email, error)
        return Wanted(
            item.file,
            item.line,
            Kind.USER,
            address,
            addresses.split(address)[1],
            password=item.password,
            hashed=hashed,
            generate=item.generate and self.options.generate,
            note=note,
            suspended=suspended,
        )


def _domain(item: DomainItem) -> Wanted:
    try:
        name = domains.normalised(item.name)
        note = _note(item.note)
    except Invalid as error:
        return _refused(item, Kind.DOMAIN, item.name, error)
    return Wanted(item.file, item.line, Kind.DOMAIN, name, name, note=note)


def _alias(item: AliasItem) -> Wanted:
    try:
        source = alias_rules.checked_source(item.source)
        destination = alias_rules.checked_destination(item.destination)
        note = _note(item.note)
    except Invalid as error:
        refused = _refused(item, Kind.ALIAS, item.source, error)
        refused.destination = addresses.shown(item.destination)
        return refused
    domain = addresses.split(source)[1]
    return Wanted(item.file, item.line, Kind.ALIAS, source, domain, destination, note=note)


def _is_not_kept(item: UserItem) -> bool:
    """Whether it is a suspended user of an export whose hash was not kept."""
    return item.hashed == suspensions.MARKER and item.suspended is not None


def _mode(text: str | None, address: str) -> str | None:
    if text is None:
        return None
    if text not in list(suspensions.Mode):
        raise Invalid(
            "Suspended must be one of %(modes)s, or empty",
            field="suspended",
            modes=list(suspensions.Mode),
        )
    mode = suspensions.Mode(text)
    lengths.check(suspensions.stored_address(address, mode), User.email, "email")
    return mode


def _note(text: str | None) -> str | None:
    return None if text is None else notes.checked_text(text) or None


def _refused(
    item: DomainItem | UserItem | AliasItem | BadItem, kind: str, name: str, error: Invalid
) -> Wanted:
    return Wanted(
        item.file,
        item.line,
        kind,
        addresses.shown(name),
        verdict=Verdict.ERROR,
        reason=Reason.of(error),
    )
