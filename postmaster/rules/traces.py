"""The answer of a trace: a verdict, the steps to it, and the expansion as a tree; also as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import Phrase, Translate, fill
from .expansion import Asked, How, MailboxRow, Map
from .trace_words import State, Verdict

# The guides' queries; Postfix puts the key in for %s, in lower case.
QUERIES: Mapping[Map, str] = {
    Map.DOMAINS: "SELECT 1 FROM virtual_domains WHERE name='%s'",
    Map.MAILBOXES: "SELECT 1 FROM virtual_users WHERE email='%s'",
    Map.ALIASES: "SELECT destination FROM virtual_aliases WHERE source='%s'",
    Map.EMAIL2EMAIL: "SELECT email FROM virtual_users WHERE email='%s'",
}


@dataclass(frozen=True)
class Sentence:
    """A sentence with its places, for a person to read in any language."""

    template: Phrase
    values: Mapping[str, Any]

    def say(self, translate: Translate = str) -> str:
        """In English, or as ``translate`` gives it."""
        return fill(self.template, self.values, translate)


@dataclass(frozen=True)
class Step:
    """One thing that Postfix finds out: in words, and what it asked for that."""

    sentence: Sentence
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True)
class Node:
    """An address of the expansion. ``how`` it was found in the alias maps, by ``key``.

    A leaf has a state, and ``delivered_to`` is its mailbox's address, which is another one where
    it has an extension. ``user_id`` is the mailbox's row, ``alias_id`` one of that very address;
    ``cut`` is how many of its destinations are not drawn.
    """

    address: str
    how: How | None = None
    key: str = ""
    by: Map | None = None
    state: State | None = None
    mailbox: MailboxRow | None = None
    delivered_to: str = ""
    alias_id: int | None = None
    children: tuple["Node", ...] = ()
    cut: int = 0

    @property
    def user_id(self) -> int | None:
        """The row of the mailbox here, if it has one."""
        return self.mailbox.id if self.mailbox else None


@dataclass(frozen=True)
class Trace:
    """The answer. ``recipients`` get the mail; at the ``lost`` addresses is nobody.

    ``recipients`` here are mailboxes. ``passed_on`` are the same as Postfix passes the mail on:
    here to Dovecot, with extensions.
    """

    address: str
    verdict: Verdict
    sentence: Sentence
    recipients: tuple[str, ...]
    passed_on: tuple[str, ...]
    lost: tuple[str, ...]
    steps: tuple[Step, ...]
    tree: Node


def sql(asked: Asked) -> str:
    """The query of a map with the key in it."""
    return QUERIES[asked.map].replace("%s", asked.key.replace("'", "''"))


def as_item(found: Trace) -> dict[str, Any]:
    """A trace as JSON holds it, in English: for the API and the command."""
    return {
        "address": found.address,
        "verdict": str(found.verdict),
        "sentence": found.sentence.say(),
        "recipients": list(found.recipients),
        "lost": list(found.lost),
        "steps": [
            {
                "sentence": step.sentence.say(),
                "lookups": [
                    {
                        "map": str(asked.map),
                        "key": asked.key,
                        "sql": sql(asked),
                        "answers": list(asked.answers),
                        "ids": list(asked.ids),
                    }
                    for asked in step.asked
                ],
            }
            for step in found.steps
        ],
        "tree": _node_item(found.tree),
    }


def _node_item(node: Node) -> dict[str, Any]:
    mailbox = node.mailbox
    return {
        "address": node.address,
        "how": str(node.how) if node.how else None,
        "key": node.key or None,
        "map": str(node.by) if node.by else None,
        "state": str(node.state) if node.state else None,
        "mailbox": node.delivered_to or None,
        "user_id": node.user_id,
        "alias_id": node.alias_id,
        "suspended": (mailbox.suspended or None) if mailbox else None,
        "scheme": (mailbox.scheme or None) if mailbox else None,
        "unreadable": (mailbox.unreadable or None) if mailbox else None,
        "children": [_node_item(child) for child in node.children],
        "cut": node.cut,
    }
