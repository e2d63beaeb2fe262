"""manage.py trace"""

import json
import sys
from collections.abc import Iterator

import click
from flask.cli import with_appcontext

from ..db import db
from ..rules import trace as tracing
from ..rules import traces
from ..rules.trace_words import State, Verdict
from ..rules.traces import Node, Trace
from . import surface

ARRIVES = (Verdict.DELIVERED, Verdict.PARTLY)
ENDS: dict[State, str] = {
    State.MAILBOX: "mailbox here",
    State.ELSEWHERE: "other server",
    State.NOBODY: "nobody: sent back",
    State.SUSPENDED: "suspended without mail: sent back",
    State.UNDELIVERABLE: "Dovecot does not deliver to such a name: sent back",
    State.UNSENDABLE: "Postfix does not send to such a name: sent back",
    State.CIRCLE: "back to an address above: a circle",
    State.UNREADABLE: "an alias to no address: put off",
}


@click.command()
@click.argument("address")
@click.option("--sql", is_flag=True, help="Also each query with its rows, step by step.")
@surface.json_option
@with_appcontext
def trace(address: str, sql: bool, as_json: bool) -> None:
    """Say what the mail server does with ADDRESS; @DOMAIN is any other address of a domain.

    The exit status is 0 if the mail arrives somewhere, and 1 if it does not.
    """
    found = tracing.of(db.session(), surface.operator(), address)
    if as_json:
        click.echo(json.dumps(traces.as_item(found), indent=2, ensure_ascii=False))
    else:
        for line in _lines(found, sql=sql):
            click.echo(line)
    sys.exit(0 if found.verdict in ARRIVES else 1)


def _lines(found: Trace, *, sql: bool) -> Iterator[str]:
    yield f"{found.sentence.say()}."
    if found.verdict is not Verdict.REFUSED:
        yield ""
        yield from _branch(found.tree, "", "")
    if sql:
        for number, step in enumerate(found.steps, 1):
            yield ""
            yield f"{number}. {step.sentence.say()}."
            for asked in step.asked:
                rows = ", ".join(asked.answers) or "no row"
                yield f"   {asked.map}: {traces.sql(asked)}"
                yield f"      {rows}"


def _branch(node: Node, before: str, beneath: str) -> Iterator[str]:
    yield f"{before}{node.address}{_about(node)}"
    last = len(node.children) + bool(node.cut) - 1
    for number, child in enumerate(node.children):
        is_last = number == last
        yield from _branch(
            child,
            f"{beneath}{'└── ' if is_last else '├── '}",
            f"{beneath}{'    ' if is_last else '│   '}",
        )
    if node.cut:
        yield f"{beneath}└── and {node.cut} more"


def _about(node: Node) -> str:
    if node.state is None:
        return "" if node.key == node.address else f"  (by {node.key})"
    words = [ENDS[node.state]]
    if node.delivered_to not in ("", node.address):
        words = [f"mailbox {node.delivered_to}, without the extension"]
    if node.mailbox and node.state is State.MAILBOX:
        if node.mailbox.suspended:
            words.append("suspended: nobody signs in")
        elif node.mailbox.unreadable:
            words.append(f"nobody signs in: its password is {node.mailbox.unreadable}")
    return f"  ({'; '.join(words)})"
