"""The tables as a declaration: a plan of it, made at once, has nothing to do."""

import json
from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...errors import Invalid
from ...models import Alias, Domain, User
from .. import domains, passwords, suspensions
from ..actor import Actor

LEFT_OUT = "# Left out, since no rule permits such a domain: "


def lines(session: Session, actor: Actor, domain_ids: Sequence[int] | None = None) -> Iterator[str]:
    """The lines of the file, for all domains or those with these ids."""
    ids: dict[str, list[int]] = {}
    left_out = []
    query = select(Domain).order_by(Domain.name, Domain.id)
    if domain_ids is not None:
        query = query.where(Domain.id.in_(domain_ids))
    for domain in session.scalars(query):
        name = domain.name.lower()
        if _is_usable(name):
            ids.setdefault(name, []).append(domain.id)
        else:
            left_out.append(domain.name)
    for each in left_out:
        yield LEFT_OUT + _quoted(each)
    if not ids:
        yield "governs: []"
        return
    yield "governs:"
    yield from (f"  - {_quoted(name)}" for name in ids)
    yield "domains:"
    for name, own_ids in ids.items():
        yield f"  {_quoted(name)}:"
        yield from _users(session, name, own_ids)
        yield from _aliases(session, name, own_ids)


def _is_usable(name: str) -> bool:
    try:
        return domains.normalised(name) == name
    except Invalid:
        return False


def _users(session: Session, domain: str, domain_ids: Sequence[int]) -> Iterator[str]:
    query = select(User).where(User.domain_id.in_(domain_ids))
    found = [
        user for user in session.scalars(query) if _is_in(suspensions.address_of(user), domain)
    ]
    found.sort(key=lambda user: suspensions.address_of(user).lower())
    hashes = suspensions.hashes_of(session, found)
    yield "    users:" if found else "    users: []"
    for user in found:
        parts = [f"address: {_short(suspensions.address_of(user).lower(), domain)}"]
        # What is no hash, by hand or not kept, is left out, and so stays what it is.
        hashed = hashes[user.id]
        if hashed != suspensions.MARKER and passwords.STORED_HASH.fullmatch(hashed):
            parts.append(f"hash: {_quoted(hashed)}")
        mode = suspensions.mode_of(user)
        if mode is not None:
            parts.append(f"suspended: {mode}")
        yield f"      - {{{', '.join(parts)}}}"


def _aliases(session: Session, domain: str, domain_ids: Sequence[int]) -> Iterator[str]:
    query = select(Alias.source, Alias.destination).where(Alias.domain_id.in_(domain_ids))
    found: dict[str, dict[str, None]] = {}
    for source, destination in session.execute(query.order_by(Alias.source, Alias.destination)):
        if _is_in(source, domain) and "@" in destination:
            found.setdefault(source.lower(), {})[destination.lower()] = None
    yield "    aliases:" if found else "    aliases: {}"
    for source, destinations in sorted(found.items()):
        name = _quoted("@") if source == f"@{domain}" else _short(source, domain)
        aimed = ", ".join(_short(each, domain) for each in sorted(destinations))
        yield f"      {name}: [{aimed}]"


def _is_in(address: str, domain: str) -> bool:
    return address.lower().endswith(f"@{domain}")


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
