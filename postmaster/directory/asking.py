"""Signing in with a directory, looking an account up again, and trying both out."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import ldap3

from ..errors import Phrase, RuleError
from . import binding, entries, finding, groups, names, states, trail, turnstile
from .connections import as_service, bind, opened
from .entries import Entry
from .faults import NotAnswered, Refused
from .kinds import may_be_searched
from .names import Form, Name
from .plan import Account, Directory, Method, Server
from .trail import Step, Trail

T = TypeVar("T")
Ask = Callable[[ldap3.Connection, Server], T]

MOST_OCTETS = 1024
# A page of somebody who is signed in asks for several things at once, and each looks.
PATIENCE = 2
FOUND = Phrase("Found: %(dn)s")
NOT_A_MEMBER = Phrase("This account may not use PostMaster: it is not in the group %(group)s")
ADD_TO_GROUP = Phrase("Add the account to the group in the directory, or to one of its groups")


def sign_in(directory: Directory, username: str, password: str) -> Account:
    """Who this is, if the directory takes the password and the group lets them in.

    Raises Refused, or NotAnswered where no server could say. Slow: up to some seconds for
    each server that does not answer.
    """
    return _sign_in(directory, username, password, Trail(), turnstile.in_order(directory.servers))


def look_up(directory: Directory, known: Account) -> Account:
    """The account as it is now, without its password: by the bind account.

    Raises Refused if it may no longer sign in, NotAnswered where nobody could say.
    """
    # Nobody waits for this one at a page that hangs: a server that rests is not asked.
    servers = [s for s in directory.servers if not turnstile.is_resting(s)]
    return _look_up(directory, known, Trail(), servers)


def try_out(directory: Directory, username: str, password: str) -> list[Step]:
    """The steps of a sign-in, or without a password of looking somebody up."""
    steps = Trail()
    try:
        if password:
            found = _sign_in(directory, username, password, steps, directory.servers)
        else:
            found = _look_up(directory, Account("", username, "", ""), steps, directory.servers)
    except RuleError as error:
        steps.failed(error)
        steps.begin(trail.VERDICT)
        steps.failed(RuleError(Phrase("This account cannot sign in to PostMaster")))
        return steps.steps
    steps.begin(trail.VERDICT)
    steps.passed(
        Phrase("%(username)s (%(name)s) can sign in to PostMaster"),
        username=found.username,
        name=found.name,
    )
    return steps.steps


# --- the ways -------------------------------------------------------------------


def _sign_in(
    directory: Directory, username: str, password: str, steps: Trail, servers: Sequence[Server]
) -> Account:
    name = names.read(username)
    # No directory has so long a password, and servers hang up on messages that are too long.
    if name is None or not 0 < len(password.encode()) <= MOST_OCTETS:
        raise binding.wrong_password("")
    way = _bind_then_find if directory.is_active else _find_then_bind
    return _ask(
        directory,
        servers,
        steps,
        lambda c, server: way(directory, c, server, name, password, steps),
    )


def _look_up(
    directory: Directory, known: Account, steps: Trail, servers: Sequence[Server]
) -> Account:
    if not may_be_searched(directory.kind, directory.bind_account):
        raise NotAnswered(
            Phrase("Without its password nobody can be looked up: there is no bind account"),
            Phrase("Give a password too, or set LDAP Bind Account"),
            others_may=False,
        )

    def ask(connection: ldap3.Connection, server: Server) -> Account:
        _as_service(directory, connection, server, steps)
        steps.begin(trail.USER)
        entry = finding.known(directory, connection, known)
        steps.passed(FOUND, dn=entry.dn)
        return _admitted(directory, connection, entry, steps)

    return _ask(directory, servers, steps, ask, patience=PATIENCE)


def _ask(
    directory: Directory,
    servers: Sequence[Server],
    steps: Trail,
    ask: Ask[T],
    *,
    patience: float = 0,
) -> T:
    """Ask one server after the other until one gives an answer, be it a refusal."""
    fault = NotAnswered(
        Phrase("No server of the directory answered a moment ago"),
        Phrase("It is asked again within half a minute"),
    )
    with turnstile.place(patience):
        for server in servers:
            steps.begin(trail.CONNECTION)
            try:
                with opened(directory, server) as connection:
                    steps.passed(_security(directory, server), server=server.url)
                    answer = ask(connection, server)
            except NotAnswered as error:
                if not error.others_may:
                    raise
                turnstile.let_rest(server)
                steps.failed(error)
                fault = error
            else:
                turnstile.wake(server)
                return answer
    raise fault


def _bind_then_find(
    directory: Directory,
    connection: ldap3.Connection,
    server: Server,
    name: Name,
    password: str,
    steps: Trail,
) -> Account:
    """Active Directory knows by itself whom a name means, so it is asked who has signed in."""
    steps.begin(trail.PASSWORD)
    is_principal = name.form is Form.PLAIN and directory.method is Method.SIMPLE
    shown = f"{name.account}@{directory.domain}" if is_principal else name.typed
    bind(connection, directory, server, shown, password)
    steps.passed(Phrase("The directory took the password"))
    steps.begin(trail.USER)
    entry = finding.oneself(directory, connection, name)
    steps.passed(FOUND, dn=entry.dn)
    return _admitted(directory, connection, entry, steps)


def _find_then_bind(
    directory: Directory,
    connection: ldap3.Connection,
    server: Server,
    name: Name,
    password: str,
    steps: Trail,
) -> Account:
    _as_service(directory, connection, server, steps)
    steps.begin(trail.USER)
    entry = finding.only(
        finding.named(directory, connection, name),
        binding.wrong_password("no such user below the base"),
    )
    steps.passed(FOUND, dn=entry.dn)
    steps.begin(trail.PASSWORD)
    try:
        # A connection of its own: groups are read by the account that may.
        with opened(directory, server) as own:
            bind(own, directory, server, entry.dn, password)
    except (Refused, NotAnswered) as error:
        raise _judged(directory, entry, error) from None
    steps.passed(Phrase("The directory took the password"))
    return _admitted(directory, connection, entry, steps, has_bound=True)


def _as_service(
    directory: Directory, connection: ldap3.Connection, server: Server, steps: Trail
) -> None:
    steps.begin(trail.BIND_ACCOUNT)
    as_service(connection, directory, server)
    if directory.bind_account:
        steps.passed(Phrase("Signed in as %(name)s"), name=directory.bind_account)
    else:
        steps.passed(Phrase("None is set: the directory is searched anonymously"))


def _admitted(
    directory: Directory,
    connection: ldap3.Connection,
    entry: Entry,
    steps: Trail,
    *,
    has_bound: bool = False,
) -> Account:
    """The account of an entry, unless it is locked, over or in none of the right groups."""
    steps.begin(trail.ACCOUNT)
    refusal = states.refusal(directory.kind, entry, has_bound=has_bound)
    if refusal is not None:
        raise refusal
    steps.passed(Phrase("It is neither disabled, locked nor expired"))
    steps.begin(trail.GROUP)
    if not groups.is_member(connection, directory, entry):
        raise Refused(NOT_A_MEMBER, ADD_TO_GROUP, group=directory.group)
    steps.passed(Phrase("It is in the group %(group)s"), group=directory.group)
    account = entries.account(directory, entry)
    if not account.username or not account.external_id:
        raise NotAnswered(
            Phrase("%(dn)s has no %(attributes)s that could be read"),
            Phrase("Let the bind account read it, or set LDAP Username Attribute"),
            others_may=False,
            dn=entry.dn,
            attributes=[directory.naming_attribute, *directory.preset.ids],
        )
    return account


def _judged(
    directory: Directory, entry: Entry, error: Refused | NotAnswered
) -> Refused | NotAnswered:
    """Why a bind as this entry failed, where its attributes say more than the server.

    Of a disabled account only where the server itself did not look at the password: else
    anybody could ask which accounts are.
    """
    if isinstance(error, NotAnswered):
        return error  # nobody has looked at the password
    if not error.is_wrong_password or states.is_locked(directory.kind, entry):
        return states.refusal(directory.kind, entry) or error
    return error


def _security(directory: Directory, server: Server) -> Phrase:
    if not server.encrypted and not directory.start_tls:
        return Phrase("%(server)s answers. The connection is not encrypted")
    if not directory.verify:
        return Phrase("%(server)s answers. Its certificate was not checked: anybody could be it")
    return Phrase("%(server)s answers, encrypted, and its certificate is good")
