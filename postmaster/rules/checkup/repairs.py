"""Repairs: first the plan, then the act that does what was shown, which undo takes back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from ...db import Base, flush_unique
from ...errors import Conflict, NotFound
from ...models import Alias, Domain, HistoryEntry, User
from .. import aliases as alias_acts
from .. import domains as domain_acts
from .. import history, notes, passwords, rows, suspensions, turns
from .. import users as user_acts
from ..actor import Actor
from ..history import Action, Change
from ..history import Kind as Noun
from . import (
    alias_repairs,
    aliases,
    circles,
    domain_repairs,
    domains,
    user_repairs,
    users,
)
from . import passwords as password_findings
from .findings import Kind
from .plans import Plan, Step

Planner = Callable[[Session], Plan]
# By the finding's code. One who works through all of them does it best in this order.
PLANNERS: Mapping[Kind, Planner] = {
    domains.NEVER_FOUND: domain_repairs.trim,
    domains.BLANK_AT_END: domain_repairs.trim_end,
    domains.MIXED_CASE: domain_repairs.lower,
    domains.DOUBLE: domain_repairs.merge,
    users.NEVER_FOUND: user_repairs.trim,
    users.NO_DOMAIN: domain_repairs.add_domains_of_users,
    users.OTHER_DOMAIN: domain_repairs.move_users,
    password_findings.PLAIN: user_repairs.hash_passwords,
    aliases.EMPTY: alias_repairs.delete_empty,
    aliases.LIST: alias_repairs.split_lists,
    aliases.NAMED: alias_repairs.take_names_off,
    aliases.BLANKS: alias_repairs.trim,
    aliases.NEVER_FOUND: alias_repairs.trim_source,
    aliases.NO_DOMAIN: domain_repairs.add_domains_of_aliases,
    aliases.OTHER_DOMAIN: domain_repairs.move_aliases,
    aliases.MIXED_CASE: alias_repairs.lower,
    aliases.DOUBLE: alias_repairs.delete_doubles,
    circles.CIRCLE: alias_repairs.open_circles,
    aliases.DANGLING: alias_repairs.delete_dangling,
    aliases.OVER_MAILBOX: user_repairs.keep_copies,
    users.SWALLOWED: user_repairs.keep_swallowed,
}
BY_CODE: Mapping[str, Planner] = {kind.code: plan for kind, plan in PLANNERS.items()}
MODELS: Mapping[Noun, type[Base]] = {Noun.DOMAIN: Domain, Noun.USER: User, Noun.ALIAS: Alias}


def plan(session: Session, actor: Actor, code: str) -> Plan:
    """What would be done about a finding. Raises NotFound if nothing can."""
    planner = BY_CODE.get(code)
    if planner is None:
        raise NotFound('There is no repair "%(code)s"', code=code)
    return planner(session)


def carry_out(
    session: Session, actor: Actor, code: str, *, seen: str | None = None
) -> HistoryEntry:
    """Do what the plan says; it is one change in the history. Raises Conflict, NotFound.

    ``seen`` is the version of the plan that was shown.
    """
    turns.take(session, turns.Queue.MAIL)
    todo = plan(session, actor, code)
    todo.check(seen)
    changes = _apply(session, todo.steps)
    head = history.batch(
        *(session, actor, Action.REPAIR, Noun.MAIL, len(changes)), name=str(todo.kind.what)
    )
    history.add_to(session, actor, head.id, changes)
    return head


def _apply(session: Session, steps: Sequence[Step]) -> list[Change]:
    """New domains come first, deleted ones go last."""
    found = {
        noun: {
            row.id: row
            for row in _present(session, model, [s.id for s in steps if s.noun is noun and s.id])
        }
        for noun, model in MODELS.items()
    }
    changes = _make(session, [s for s in steps if s.action is Action.CREATE])
    changes += _change(session, [s for s in steps if s.action is Action.CHANGE], found)
    changes += _hash(session, [s for s in steps if s.action is Action.CHANGE_PASSWORD], found)
    gone = [s for s in steps if s.action is Action.DELETE]
    changes += alias_acts.removal(
        session, [found[Noun.ALIAS][s.id] for s in gone if s.noun is Noun.ALIAS]
    )
    empty = [found[Noun.DOMAIN][s.id] for s in gone if s.noun is Noun.DOMAIN]
    return changes + _remove_domains(session, empty)


def _present(session: Session, model: type[Base], ids: Sequence[int]) -> list[Any]:
    return [*rows.present(session, model, ids)]


def _make(session: Session, steps: Sequence[Step]) -> list[Change]:
    made: list[Any] = [MODELS[step.noun](**dict(step.new or {})) for step in steps]
    session.add_all(made)
    session.flush()
    return [
        Change(Action.CREATE, step.noun, row.id, step.after, new=step.new)
        for step, row in zip(steps, made, strict=True)
    ]


def _change(
    session: Session, steps: Sequence[Step], found: Mapping[Noun, Mapping[int, Any]]
) -> list[Change]:
    for step in steps:
        row = found[step.noun][step.id]
        for name, value in (step.new or {}).items():
            if value == (step.old or {}).get(name):
                continue
            if isinstance(row, User) and name == "email":
                suspensions.change_address(session, row, str(value))
            else:
                setattr(row, name, value)
    flush_unique(session, Conflict("There is another user of one of these addresses now"))
    changes = [
        Change(Action.CHANGE, step.noun, step.id, step.before, step.old, step.new) for step in steps
    ]
    return changes + notes.follow(session, changes)


def _hash(
    session: Session, steps: Sequence[Step], found: Mapping[Noun, Mapping[int, Any]]
) -> list[Change]:
    changes = []
    for step in steps:
        user: User = found[Noun.USER][step.id]
        plain, hashed = user.password, passwords.hash_for_mail(user.password)
        suspensions.change_hash(session, user, hashed)
        changes.append(user_acts.as_reset(user, plain, hashed))
    session.flush()
    return changes


def _remove_domains(session: Session, gone: Sequence[Domain]) -> list[Change]:
    for domain in gone:
        if not domain_acts.is_empty(session, domain):
            raise Conflict(
                'The domain "%(name)s" has users or aliases again: look at the plan again',
                name=domain.name,
            )
    rows.remove(session, Domain, [domain.id for domain in gone])
    return [domain_acts.as_removed(domain) for domain in gone]
