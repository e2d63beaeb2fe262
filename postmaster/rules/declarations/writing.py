"""The tables as a declaration: a plan of it, made at once, has nothing to do."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...errors import Invalid
from ...models import Alias, Domain, User
from .. import addresses, domains, passwords, suspensions
from ..actor import Actor
from . import belonging

Row = TypeVar("Row", User, Alias)

LEFT_OUT = "# Left out, since no rule permits such a domain: "


def lines(session: Session, actor: Actor, domain_ids: Sequence[int] | None = None) -> Iterator[str]:
    """The lines of the file, for all domains or those with these ids."""
    query = select(Domain).order_by(Domain.name, Domain.id)
    if domain_ids is not None:
        query = query.where(Domain.id.in_(domain_ids))
    chosen = session.scalars(query).all()
    usable = {name for name in (addresses.folded(each.name) for each in chosen) if _is_usable(name)}
    there, _alike = belonging.domains(session, usable)
    left_out = [each.name for each in chosen if addresses.folded(each.name) not in there]
    for each in left_out:
        yield LEFT_OUT + _quoted(each)
    if not there:
        yield "governs: []"
        return
    names = dict.fromkeys(sorted(there))
    yield "governs:"
    yield from (f"  - {_quoted(name)}" for name in names)
    yield "domains:"
    users = _by_domain(belonging.strays(session, User, names, there))
    aliases = _by_domain(belonging.strays(session, Alias, names, there))
    for name in names:
        ids = [domain.id for domain in there[name]]
        yield f"  {_quoted(name)}:"
        yield from _users(session, name, ids, users.get(name, ()))
        yield from _aliases(session, name, ids, aliases.get(name, ()))


def _by_domain(strays: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in strays:
        found.setdefault(belonging.domain_of(row), []).append(row)
    return found


def _is_usable(name: str) -> bool:
    try:
        return domains.normalised(name) == name
    except Invalid:
        return False


def _users(
    session: Session, domain: str, domain_ids: Sequence[int], strays: Sequence[User]
) -> Iterator[str]:
    query = select(User).where(User.domain_id.in_(domain_ids))
    found = {
        addresses.folded(suspensions.address_of(user)): user
        for user in (*session.scalars(query), *strays)
        if belonging.domain_of(user) == domain
    }
    hashes = suspensions.hashes_of(session, list(found.values()))
    yield "    users:" if found else "    users: []"
    for address, user in sorted(found.items()):
        parts = [f"address: {_short(address, domain)}"]
        # What is no hash, by hand or not kept, is left out, and so stays what it is.
        hashed = hashes[user.id]
        if hashed != suspensions.MARKER and passwords.STORED_HASH.fullmatch(hashed):
            parts.append(f"hash: {_quoted(hashed)}")
        mode = suspensions.mode_of(user)
        if mode is not None:
            parts.append(f"suspended: {mode}")
        yield f"      - {{{', '.join(parts)}}}"


def _aliases(
    session: Session, domain: str, domain_ids: Sequence[int], strays: Sequence[Alias]
) -> Iterator[str]:
    query = select(Alias).where(Alias.domain_id.in_(domain_ids))
    found: dict[str, dict[str, None]] = {}
    for alias in (*session.scalars(query), *strays):
        if belonging.domain_of(alias) == domain and "@" in alias.destination:
            found.setdefault(addresses.folded(alias.source), {})[alias.destination.lower()] = None
    yield "    aliases:" if found else "    aliases: {}"
    for source, destinations in sorted(found.items()):
        name = _quoted("@") if source == f"@{domain}" else _short(source, domain)
        aimed = ", ".join(_short(each, domain) for each in sorted(destinations))
        yield f"      {name}: [{aimed}]"


def _short(address: str, domain: str) -> str:
    """An address of this domain without it, unless it would be read as another then."""
    local_part, _at, there = address.rpartition("@")
    is_short = there == domain and local_part and "@" not in local_part
    return _quoted(local_part if is_short else address)


def _quoted(text: str) -> str:
    """The text as JSON and YAML both read it; beyond 16 bits they write differently."""
    signs = (c if ord(c) < 0x10000 else f"\\U{ord(c):08X}" for c in text)
    if any(ord(c) >= 0x10000 for c in text):
        return '"' + "".join(s if len(s) > 1 else json.dumps(s)[1:-1] for s in signs) + '"'
    return json.dumps(text)
