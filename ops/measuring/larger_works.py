"""What writes, and what reads much: new users, a domain's deletion, overviews."""

import json
from collections.abc import Iterator
from itertools import count

from ops.measuring.browsing import median, milliseconds
from ops.measuring.figures import Figure, beside
from ops.measuring.lists import Panel
from postmaster.rules import passwords

NEW_PASSWORD = "correct horse battery"
USERS_OF_A_DOMAIN, ALIASES_OF_A_DOMAIN, DELETIONS = 1_000, 300, 5
CASCADE = "DELETE FROM virtual_domains WHERE id = %s"
_numbers = count(1)


def figures(few: Panel, many: Panel) -> Iterator[Figure]:
    """The figures, one after the other."""
    hashing = median(lambda: passwords.hash_for_mail(NEW_PASSWORD))
    for name, panel in (("10,000", few), ("all", many)):
        adding = median(lambda panel=panel: _add(panel))
        yield beside(
            f"POST /api/v1/users, with {name} users, beside the hash",
            *(adding, hashing, "hash + 5 ms", lambda a, b: a <= b + 5),
        )
    yield _deletion(many)
    for name, path, target in (
        ("dashboard", "/", 15),
        ("history", "/history", 15),
        ("checkup", "/api/v1/checkup", 10_000),
    ):
        many.client.ask("GET", path)
        took = median(lambda path=path: many.client.ask("GET", path), 3 if target > 15 else 31)
        yield Figure(name, took, target=f"{target:,} ms", holds=took <= target)


def _add(panel: Panel) -> None:
    fields = {"email": f"new{next(_numbers)}@domain7.example", "password": NEW_PASSWORD}
    panel.client.ask("POST", "/api/v1/users", fields, 201)


def _deletion(many: Panel) -> Figure:
    """A domain, its preview included, beside the plain cascade of another one like it."""
    ours, plain = [], []
    for _ in range(DELETIONS):
        first, second = _domain(many), _domain(many)
        ours.append(
            milliseconds(
                lambda number=first: (
                    many.client.ask("GET", f"/domains/{number}/delete"),
                    many.client.ask("DELETE", f"/api/v1/domains/{number}", expect=204),
                )
            )
        )
        plain.append(milliseconds(lambda number=second: many.sql(CASCADE, number)))
    ours.sort()
    plain.sort()
    return beside(
        f"delete a domain with {USERS_OF_A_DOMAIN:,} users, {ALIASES_OF_A_DOMAIN} aliases:"
        " preview, history",
        *(ours[DELETIONS // 2], plain[DELETIONS // 2], "3 x", lambda a, b: a <= 3 * b),
    )


def _domain(panel: Panel) -> int:
    """A new domain with its users and aliases, by plain SQL."""
    name = f"deleted{next(_numbers)}.example"
    item = json.loads(panel.client.ask("POST", "/api/v1/domains", {"name": name}, 201))
    number = int(item["id"])
    panel.sql(
        "INSERT INTO virtual_users (domain_id, email, password) SELECT %s,"
        f" CONCAT('user', seq, '@{name}'), '*' FROM seq_1_to_{USERS_OF_A_DOMAIN}",
        number,
    )
    panel.sql(
        "INSERT INTO virtual_aliases (domain_id, source, destination) SELECT %s,"
        f" CONCAT('alias', seq, '@{name}'), CONCAT('user', seq, '@{name}')"
        f" FROM seq_1_to_{ALIASES_OF_A_DOMAIN}",
        number,
    )
    return number
