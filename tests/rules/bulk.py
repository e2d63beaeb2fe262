"""Files to import that tests write in a few lines, and what becomes of them."""

import io
from collections.abc import Sequence

from postmaster.db import db, transact
from postmaster.models import Import
from postmaster.rules.actor import Actor
from postmaster.rules.imports import formats, planning, running
from postmaster.rules.imports.hashing import OneByOne
from postmaster.rules.imports.items import Source
from postmaster.rules.imports.order import Order
from postmaster.rules.imports.running import Keeper
from postmaster.rules.imports.verdicts import Line, Options

ADMIN = Actor(1, "admin", "command", "192.0.2.1")
HEADER = "kind,address,destination,password,hash,suspended,note\n"
HASH = "$6$saltsaltsaltsalt$" + "x" * 86
ANOTHER_HASH = "{BLF-CRYPT}$2y$05$" + "y" * 53


def source(text: str, name: str = "file.csv") -> Source:
    return Source(name, io.BytesIO(text.encode()))


def order_of(text: str, options: Options | None = None) -> Order:
    """The lines of a CSV without its header, or of a JSON."""
    file = source(text if text.startswith("{") else HEADER + text)
    return planning.order_of(
        db.session(), ADMIN, [file], formats.detect([file]), options or Options()
    )


def plan(text: str, **options: bool) -> list[Line]:
    db.session.remove()
    chosen = Options(**options)
    return list(planning.plan(db.session(), ADMIN, order_of(text, chosen), chosen))


def said(lines: Sequence[Line]) -> dict[int, str]:
    """By line: the verdict, and the reason in English."""
    return {
        line.line: f"{line.verdict}: {line.reason.sentence()}" if line.reason else line.verdict
        for line in lines
    }


def run(
    text: str,
    *,
    keeper: Keeper | None = None,
    most_batches: int = 1_000_000,
    **options: bool,
) -> tuple[list[Line], Import]:
    """Import it, or some batches of it; what became of the lines, and the record."""
    chosen = Options(**options)
    order = order_of(text, chosen)
    record = transact(
        running.start,
        ADMIN,
        name="file.csv",
        digest=order.digest(),
        options=chosen,
        total=order.total,
    )
    lines: list[Line] = []
    batches: list[int] = []

    def tell(written: running.Written) -> None:
        lines.extend(written.lines)
        batches.append(written.done)

    run = running.Run(ADMIN, record, order, chosen, OneByOne(), keeper)
    run.go(tell, lambda: len(batches) >= most_batches)
    db.session.remove()
    return lines, db.session.get_one(Import, record.id)
