"""The trace says what the real Postfix and Dovecot do, whatever the tables are.

Random tables and addresses; the same ones each time, unless AGREEMENT_SEED says another number.
Where the two disagree, the failure shows the smallest tables that still do.
"""

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from postmaster.db import db
from postmaster.rules import expansion, settings
from postmaster.rules.trace_words import Verdict
from tests.mail import maps
from tests.mail.agreed import Agreed
from tests.mail.agreement import Comparison, Disagreement
from tests.mail.maps import Flavour
from tests.mail.random_tables import Dice, Tables
from tests.mail.server import MailServer
from tests.mail.shrinking import smallest
from tests.mariadb import MariaDB, program
from tests.rules.conftest import alter_setting

SEED = int(os.environ.get("AGREEMENT_SEED", "20261125"))
TABLES = 40
ADDRESSES = 50
# Postfix's settings, where the engine has their defaults, and smaller ones: so that few rows
# reach each of them, and a circle costs little.
LIMITS = {
    "virtual_alias_recursion_limit": ("RECURSION_LIMIT", 20),
    "virtual_alias_expansion_limit": ("EXPANSION_LIMIT", 20),
    "virtual_alias_address_length_limit": ("LENGTH_LIMIT", 60),
}
ALIAS_MAPS = ("virtual-alias-maps", "virtual-email2email")


@pytest.fixture
def comparison(
    request: pytest.FixtureRequest,
    context: None,
    mariadb: MariaDB,
    mail_server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Comparison]:
    """Both sides set up alike: with the map and the delimiter of the test, and small limits."""
    has_map = request.getfixturevalue("has_map")
    delimiter = request.getfixturevalue("delimiter")
    for name, value in LIMITS.values():
        monkeypatch.setattr(expansion, name, value)
    alter_setting(settings.EMAIL2EMAIL_MAP, str(has_map))
    alter_setting(settings.RECIPIENT_DELIMITER, delimiter or settings.NO_DELIMITER)
    others = {parameter: str(value) for parameter, (_name, value) in LIMITS.items()}
    flavour = Flavour(ALIAS_MAPS if has_map else ALIAS_MAPS[:1], delimiter, others)
    name = f"random tables, {has_map=}, {delimiter=}"
    monkeypatch.setitem(maps.FLAVOURS, name, flavour)
    database = str(db.engine.url.database)
    mail_server.use(database, name, into_sink=True)
    mail_server.forget()
    with mariadb.cursor(database) as cursor:
        yield Comparison(cursor, mail_server)


@pytest.mark.parametrize(
    ("has_map", "delimiter"), [(True, "+"), (True, ""), (False, "+"), (False, ""), (True, "-")]
)
def test_the_trace_says_what_the_mail_server_does(
    comparison: Comparison,
    has_map: bool,
    delimiter: str,
    record_property: Callable[[str, object], None],
) -> None:
    dice = Dice(f"{SEED} {has_map} {delimiter}", delimiter)
    asked = [comparison.ask(dice.tables(), dice.addresses(ADDRESSES)) for _ in range(TABLES)]
    for found in comparison.disagreements(asked):
        pytest.fail(f"With the seed {SEED}:\n{shrunk(comparison, found)}", pytrace=False)
    assert {one.verdict for each in asked for one in each.traces.values()} == set(Verdict)
    Agreed(sum(len(one.traces) for one in asked), len(asked), SEED).record(record_property)


def shrunk(comparison: Comparison, found: Disagreement) -> Disagreement:
    """The same with the fewest rows; what does not come again is shown as it was."""

    def again(tables: Tables) -> Disagreement | None:
        asked = comparison.ask(tables, [found.address])
        return next(comparison.disagreements([asked]), None)

    return again(smallest(found.tables, lambda tables: again(tables) is not None)) or found


def test_the_limits_are_postfix_s(app: Flask, mail_server: MailServer) -> None:
    command = [program("postconf"), "-d", "-h", *LIMITS]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert [getattr(expansion, name) for name, _small in LIMITS.values()] == list(map(int, found))
