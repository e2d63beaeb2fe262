"""What the mail server does with an address: the verdict, and how it comes about."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from ..errors import Invalid, Phrase
from . import addresses, affected, expansion, mail_tables, suspensions, trace_words
from .actor import Actor
from .expansion import Asked, Failure, Known, Lookup, Map, Server
from .trace_words import State, Verdict
from .traces import Node, Sentence, Step, Trace

# More of a tree is not drawn: it is counted.
MOST_NODES = 200
MOST_DEEP = 40
MOST_NAMED = 3


def of(session: Session, actor: Actor, text: str) -> Trace:
    """What happens to mail for an address, or for any other of a domain (``@domain``).

    Raises Invalid for what is no address.
    """
    return of_many(session, actor, [text])[0]


def of_many(session: Session, actor: Actor, texts: Sequence[str]) -> list[Trace]:
    """The same for each of several addresses, at hardly more questions to the database."""
    wanted = [_read(text) for text in texts]
    server = mail_tables.server(session)
    tables = mail_tables.StoredTables(session)
    known = expansion.fetch(tables, server, wanted, also=[suspensions.SIGN])
    return [_Tracer(server, known).trace(address) for address in wanted]


def _read(text: str) -> str:
    if not text.strip():
        raise Invalid("The address was not specified", field="address")
    return affected.traced(addresses.any_address(text))


def refused_by_syntax(text: str) -> Phrase | None:
    """What smtpd(8) says to a text that is no address to us; None where that is not known."""
    local_part = addresses.split(addresses.trim(text))[0]
    if "!" in local_part or "%" in local_part:
        return trace_words.IS_A_ROUTE
    return trace_words.IS_AN_OPTION if local_part.startswith("-") else None


class _Tracer:
    """Puts the answer together from what is known of the tables."""

    def __init__(self, server: Server, known: Known) -> None:
        self._server = server
        self._known = known
        self._drawn = 0

    def trace(self, address: str) -> Trace:
        is_here = expansion.is_here(address, self._known)
        is_listed = expansion.is_listed(address, self._server, self._known)
        finals, failure = expansion.expand(address, self._server, self._known)
        lost = tuple(final for final in finals if not self._arrives(final))
        passed_on = tuple(final for final in finals if final not in lost)
        reached = tuple(dict.fromkeys(map(self._recipient, passed_on)))
        verdict, sentence = self._verdict(address, is_here and is_listed, reached, lost, failure)
        is_taken = verdict is not Verdict.REFUSED
        shown = affected.named(address)
        return Trace(
            address=shown,
            verdict=verdict,
            sentence=Sentence(sentence, self._values(shown, reached, lost)),
            recipients=tuple(map(affected.named, reached)) if is_taken else (),
            passed_on=tuple(map(affected.named, passed_on)) if is_taken else (),
            lost=tuple(map(affected.named, lost)) if is_taken else (),
            steps=tuple(self._steps(address, is_here, is_listed, finals)),
            tree=self._node(address, ()),
        )

    # --- the verdict --------------------------------------------------------------

    def _arrives(self, address: str) -> bool:
        return self._state(address) in (State.MAILBOX, State.ELSEWHERE)

    def _recipient(self, final: str) -> str:
        """Who gets the mail for an address in the end: here that is a mailbox."""
        if self._state(final) is not State.MAILBOX:
            return final
        return expansion.mailbox_address(final, self._server)

    def _state(self, address: str) -> State:
        if not expansion.is_sendable(address):
            return State.UNSENDABLE
        if not expansion.is_here(address, self._known):
            return State.ELSEWHERE
        mailbox = expansion.mailbox_at(address, self._server, self._known)
        if mailbox is None:
            email = expansion.mailbox_address(address, self._server)
            is_suspended = f"{suspensions.SIGN}{email}" in self._known.mailboxes
            return State.SUSPENDED if is_suspended else State.NOBODY
        return State.MAILBOX if mailbox.takes_mail else State.UNDELIVERABLE

    def _verdict(
        self,
        address: str,
        is_taken: bool,
        reached: Sequence[str],
        lost: Sequence[str],
        failure: Failure | None,
    ) -> tuple[Verdict, Phrase]:
        if not is_taken:
            return Verdict.REFUSED, self._why_refused(address)
        if failure:
            return Verdict.PUT_OFF, trace_words.WHY_PUT_OFF[failure]
        if not reached:
            is_one = len(lost) == 1
            return Verdict.SENT_BACK, trace_words.NOBODY_AT_IT if lost == (address,) else (
                trace_words.NOBODY_AT_ONE if is_one else trace_words.NOBODY_AT_ANY
            )
        if lost:
            return Verdict.PARTLY, trace_words.PARTLY
        here = [final for final in reached if self._state(final) is State.MAILBOX]
        kind = (min(len(here), 2), min(len(reached) - len(here), 2))
        return Verdict.DELIVERED, trace_words.DELIVERED.get(kind, trace_words.TO_BOTH)

    def _why_refused(self, address: str) -> Phrase:
        if not expansion.is_here(address, self._known):
            return trace_words.NOT_OURS
        return (
            trace_words.SUSPENDED
            if self._state(address) is State.SUSPENDED
            else trace_words.NO_SUCH_ADDRESS
        )

    def _values(
        self, address: str, reached: Sequence[str], lost: Sequence[str]
    ) -> dict[str, object]:
        here = [name for name in reached if self._state(name) is State.MAILBOX]
        elsewhere = [name for name in reached if name not in here]
        return {
            "address": address,
            "domain": addresses.split(address)[1],
            "here": _few(here),
            "elsewhere": _few(elsewhere),
            "here_count": len(here),
            "elsewhere_count": len(elsewhere),
            "reached_count": len(reached),
            "lost": _few(lost),
            "limit": expansion.EXPANSION_LIMIT,
        }

    # --- step by step -------------------------------------------------------------

    def _steps(
        self, address: str, is_here: bool, is_listed: bool, finals: Sequence[str]
    ) -> list[Step]:
        domain = addresses.split(address)[1]
        ids = tuple(self._known.domains.get(domain, ()))
        asked = Asked(Map.DOMAINS, domain, ("1",) * len(ids), ids)
        words = trace_words.DOMAIN_IS_NOT_HERE
        if is_here:
            words = trace_words.DOMAIN_IS_TWICE if len(ids) > 1 else trace_words.DOMAIN_IS_HERE
        steps = [Step(_sentence(words, domain=domain, count=len(ids)), (asked,))]
        lookup = expansion.look_up(address, self._server, self._known)
        if is_here:
            steps.append(self._listed_step(address, lookup, is_listed))
        if is_here and is_listed:
            steps += self._expansion_steps(address)
            steps += [self._final_step(final) for final in finals[:MOST_NODES]]
        return steps

    def _listed_step(self, address: str, lookup: Lookup, is_listed: bool) -> Step:
        asked = list(lookup.asked)
        if lookup.how is None:
            for _how, key in expansion.keys_of(address, self._server.delimiter):
                mailbox = self._known.mailboxes.get(key)
                found = ("1",) if mailbox else ()
                ids = (mailbox.id,) if mailbox and mailbox.id is not None else ()
                asked.append(Asked(Map.MAILBOXES, key, found, ids))
                if mailbox:
                    break
        words = trace_words.NOT_LISTED
        if lookup.how is not None:
            words = trace_words.LISTED_AS_ALIAS
        elif is_listed:
            words = trace_words.LISTED_AS_MAILBOX
        return Step(_sentence(words, address=affected.named(address)), tuple(asked))

    def _expansion_steps(self, address: str) -> list[Step]:
        steps: list[Step] = []
        ahead, seen = [address], {address}
        while ahead and len(steps) < MOST_NODES:
            lookup = expansion.look_up(ahead.pop(0), self._server, self._known)
            if lookup.how is None or not lookup.leads_to:
                continue
            values = {
                "address": affected.named(lookup.address),
                "key": lookup.asked[-1].key,
                "goes_to": _few(lookup.leads_to),
            }
            words = trace_words.LEADS_ON[lookup.how]
            if lookup.asked[-1].map is Map.EMAIL2EMAIL:
                words = trace_words.IS_ITSELF
            steps.append(Step(Sentence(words, values), lookup.asked))
            new = [one for one in dict.fromkeys(lookup.leads_to) if one not in seen]
            seen.update(new)
            ahead += new
        return steps

    def _final_step(self, address: str) -> Step:
        words, mailbox = trace_words.FINALS[self._state(address)], self._recipient(address)
        if mailbox != address:
            words = trace_words.WITHOUT_EXTENSION
        return Step(_sentence(words, address=affected.named(address), mailbox=mailbox))

    # --- the tree -----------------------------------------------------------------

    def _node(self, address: str, above: tuple[str, ...]) -> Node:
        self._drawn += 1
        lookup = expansion.look_up(address, self._server, self._known)
        shown = affected.named(address)
        rows = self._known.aliases.get(address, ())
        alias_id = min((row.id for row in rows if row.id is not None), default=None)
        if not lookup.leads_to or address in above:
            state = self._state(address)
            if lookup.leads_to and address not in lookup.leads_to:
                state = State.CIRCLE
            elif lookup.how is not None and not lookup.leads_to:
                state = State.UNREADABLE
            mailbox = None
            if expansion.is_here(address, self._known):
                mailbox = expansion.mailbox_at(address, self._server, self._known)
            return Node(
                shown,
                state=state,
                mailbox=mailbox,
                delivered_to=self._recipient(address) if state is State.MAILBOX else "",
                alias_id=alias_id,
            )
        asked = lookup.asked[-1]
        children, cut = [], 0
        for one in lookup.leads_to:
            if self._drawn >= MOST_NODES or len(above) >= MOST_DEEP:
                cut += 1
            else:
                children.append(self._node(one, (*above, address)))
        return Node(
            shown,
            how=lookup.how,
            key=asked.key,
            by=asked.map,
            alias_id=alias_id,
            children=tuple(children),
            cut=cut,
        )


def _sentence(template: Phrase, **values: object) -> Sentence:
    return Sentence(template, values)


def _few(names: Sequence[str]) -> list[object]:
    """Some of the names, and how many more there are."""
    few: list[object] = [affected.named(name) for name in names[:MOST_NAMED]]
    if len(names) > MOST_NAMED:
        few.append(f"+{len(names) - MOST_NAMED}")
    return few
