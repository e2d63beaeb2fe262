"""A small mail server's rows, as they could be: what the screenshots show."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from postmaster.db import db
from postmaster.models import HistoryEntry
from postmaster.rules import history
from tests.browser.served import Served

ADMIN = "maria"
PASSWORD = "granite-harbour-violin"
WRONG_PASSWORD = "gran1te"

DOMAINS = ["example.com", "example.org", "bücher.example", "shop.example", "museum.example"]
USERS = {
    "example.com": "ana ben carla dmitri eva farid grace.hopper hugo ines jonas k.larsen leyla",
    "example.org": "mateo nora oskar priya quentin",
    "bücher.example": "lektorat rosa samuel",
    "shop.example": "orders tomas ursula returns newsletter",
}
ALIASES = {
    "sales@example.com": ["ana@example.com", "ben@example.com"],
    "team@example.com": ["ana@example.com", "carla@example.com", "eva@example.com"],
    "postmaster@example.com": ["dmitri@example.com"],
    "abuse@example.com": ["postmaster@example.com"],
    "accounts@example.com": ["ines@example.com", "books@accountant.example"],
    "press@example.com": ["grace.hopper@example.com"],
    "board@example.org": ["nora@example.org", "oskar@example.org", "priya@example.org"],
    "info@bücher.example": ["rosa@bücher.example", "samuel@bücher.example"],
    "@shop.example": ["orders@shop.example"],
    "leyla@example.com": ["leyla@example.com", "hugo@example.com"],
}
# No act writes such rows; other programs and people do.
BY_HAND = (
    "INSERT INTO virtual_domains (name) VALUES ('Example.ORG')",
    "INSERT INTO virtual_users (domain_id, email, password)"
    " SELECT domain_id, 'Peter.Miller@Example.com', password FROM virtual_users"
    " WHERE email = 'ana@example.com'",
    "INSERT INTO virtual_aliases (domain_id, source, destination)"
    " SELECT id, 'former.staff@example.com', 'gone@example.com' FROM virtual_domains"
    " WHERE name = 'example.com'",
    "INSERT INTO virtual_aliases (domain_id, source, destination)"
    " SELECT id, 'Support@Example.org', 'nora@example.org' FROM virtual_domains"
    " WHERE name = 'example.org'",
)
IMPORT = """\
kind,address,destination,password,note
domain,gardens.example,,,since 2026
user,mila@gardens.example,,walnut-ferry-lantern,Head gardener
user,noah@gardens.example,,copper-meadow-window,
user,ana@example.com,,,
alias,info@gardens.example,mila@gardens.example,,
alias,info@gardens.example,noah@gardens.example,,
alias,tours@gardens.example,olga@gardens.example,,
user,theo@garden.example,,birch-saddle-compass,
"""


def fill(served: Served) -> dict[str, int | str]:
    """Put the rows into a new installation, and make some changes of them.

    What comes back are the ids and addresses that some pages need.
    """
    first = Hand(served, "admin", "PostMaster")
    for setting in (
        "Login Auditing",
        "Mail Database Auditing",
        "Allow External Alias Destinations",
    ):
        first.set(setting, "True")
    first.create("admins", username=ADMIN, name="Maria Keller", password=PASSWORD)
    first.create("admins", username="tom", name="Tom Ferreira", password=PASSWORD)
    first.create("admins", username="oncall", name="On-call desk", password=PASSWORD)
    first.change("admins", 1, password=PASSWORD)

    maria = Hand(served, ADMIN, PASSWORD)
    ids = {name: maria.create("domains", name=name) for name in DOMAINS}
    for domain, names in USERS.items():
        for name in names.split():
            address = f"{name}@{domain}"
            ids[address] = maria.create("users", email=address, password=PASSWORD)
    for source, destinations in ALIASES.items():
        for destination in destinations:
            ids[source] = maria.create("aliases", source=source, destination=destination)
    served.run(*BY_HAND)

    tom = Hand(served, "tom", PASSWORD)
    tom.change("users", ids["ben@example.com"], password=f"{PASSWORD}-2")
    tom.change("domains", ids["museum.example"], name="gallery.example")
    tom.change("aliases", ids["press@example.com"], destination="eva@example.com")
    tom.delete("users", ids["quentin@example.org"])
    maria.set("Minimum Password Length", "12")
    maria.create("aliases", source="jobs@example.com", destination="grace.hopper@example.com")
    maria.change("users", ids["hugo@example.com"], suspended="sign-in", note="On leave until May")
    maria.change("users", ids["tomas@shop.example"], suspended="all")
    maria.create("aliases", source="all@example.com", destination="team@example.com")
    maria.create("aliases", source="all@example.com", destination="board@example.org")
    planned = maria.create("imports", files=[{"name": "gardens.csv", "text": IMPORT}])
    for _attempt in range(5):
        form = {"username": "oncall", "password": WRONG_PASSWORD}
        served.server.ask("POST", "/login", data=form)
    spread_over_days(served)
    return {
        "domain": ids["example.com"],
        "user": ids["ana@example.com"],
        "alias": ids["team@example.com"],
        "suspended": ids["hugo@example.com"],
        "traced": "all@example.com",
        "planned": planned,
    }


class Hand:
    """An administrator who works by the API."""

    def __init__(self, served: Served, username: str, password: str) -> None:
        self.server = served.server
        self.cookies = served.server.sign_in(username, password)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """One call, which has to succeed; the answer."""
        response = self.server.ask(method, f"/api/v1/{path}", cookies=self.cookies, **options)
        if not response.ok:
            raise RuntimeError(f"{method} {path} {options}: {response.text}")
        self.cookies |= dict(response.cookies)
        return response.json() if response.content else None

    def create(self, noun: str, **fields: Any) -> int:
        """Add an item; its id."""
        number: int = self.call("POST", noun, json=fields)["id"]
        return number

    def change(self, noun: str, number: int, **fields: str) -> None:
        """Change an item."""
        self.call("PATCH", f"{noun}/{number}", json=fields)

    def delete(self, noun: str, number: int) -> None:
        """Delete an item."""
        self.call("DELETE", f"{noun}/{number}")

    def set(self, setting: str, value: str) -> None:
        """Change a setting."""
        items = self.call("GET", "configs?per_page=100")["items"]
        number = next(item["id"] for item in items if item["setting"] == setting)
        self.change("configs", number, value=value)


def spread_over_days(served: Served) -> None:
    """The history as if the work had taken its time: the newest change is of just now."""
    with served.prepared.app.app_context(), db.engine.begin() as connection:
        newest_first = connection.scalars(
            select(HistoryEntry.id)
            .where(HistoryEntry.part_of.is_(None))
            .order_by(HistoryEntry.id.desc())
        ).all()
        moment = history.now()
        for age, number in enumerate(newest_first):
            moment -= timedelta(minutes=7 + age * age % 97)
            connection.execute(
                update(HistoryEntry)
                .where((HistoryEntry.id == number) | (HistoryEntry.part_of == number))
                .values(moment=moment)
            )
