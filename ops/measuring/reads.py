"""What is read of the tables that tests/scale/filling.py fills, and how often."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote

from ops.measuring.client import API, listing

PER_PAGE = 100
END_OF_PAGE = "</html>"
# How htmx asks for the rows alone, while somebody types.
ROWS_ALONE = {
    "HX-Request": "true",
    "HX-Target": "list",
    "Accept-Encoding": "gzip, br",
}
ORDERS = ("asc", "desc")


@dataclass(frozen=True)
class Filled:
    """How many rows there are, and what is in them."""

    domains: int
    users: int
    aliases: int

    def domain(self, number: int) -> str:
        """The domain of this id."""
        return f"domain{number}.example"

    def user(self, number: int) -> str:
        """The address of the user of this id."""
        return f"user{number}@{self.domain(1 + number % self.domains)}"

    def alias(self, number: int) -> str:
        """The source of the alias of this id."""
        return f"alias{number}@{self.domain(1 + number % self.domains)}"


# The path, and what has to be in the answer.
Asked = tuple[str, str]


@dataclass(frozen=True)
class Read:
    """One kind of reading; ``weight`` is how often it is done beside the others."""

    kind: str
    weight: float
    asked: Callable[[Random, Filled], Asked]
    headers: dict[str, str] = field(default_factory=dict)


def _page(chance: Random, rows: int, most: int | None = None) -> int:
    """The number of a page that is full."""
    pages = max(rows // PER_PAGE, 1)
    return chance.randint(1, min(pages, most or pages))


def _first_users(_chance: Random, _filled: Filled) -> Asked:
    return f"{API}/users", ".example"


def _deep_users(chance: Random, filled: Filled) -> Asked:
    page = _page(chance, filled.users)
    return listing("users", per_page=PER_PAGE, page=page), ".example"


def _sorted_users(chance: Random, filled: Filled) -> Asked:
    sort, order = chance.choice(("id", "domain_id", "email")), chance.choice(ORDERS)
    page = _page(chance, filled.users, most=20)
    return listing("users", per_page=PER_PAGE, page=page, sort=sort, order=order), '"email"'


def _users_of_domain(chance: Random, filled: Filled) -> Asked:
    number = chance.randint(1, filled.domains)
    return listing("users", domain_id=number), f"@{filled.domain(number)}"


def _first_aliases(_chance: Random, _filled: Filled) -> Asked:
    return f"{API}/aliases", ".example"


def _sorted_aliases(chance: Random, filled: Filled) -> Asked:
    sort = chance.choice(("id", "domain_id", "source", "destination"))
    page = _page(chance, filled.aliases)
    query = {"per_page": PER_PAGE, "page": page, "sort": sort, "order": chance.choice(ORDERS)}
    return listing("aliases", **query), '"destination"'


def _domains(chance: Random, filled: Filled) -> Asked:
    sort, order = chance.choice(("id", "name")), chance.choice(ORDERS)
    page = _page(chance, filled.domains)
    return listing("domains", per_page=PER_PAGE, page=page, sort=sort, order=order), '"name"'


def _one_user(chance: Random, filled: Filled) -> Asked:
    number = chance.randint(1, filled.users)
    return f"{API}/users/{number}", filled.user(number)


def _one_alias(chance: Random, filled: Filled) -> Asked:
    number = chance.randint(1, filled.aliases)
    return f"{API}/aliases/{number}", filled.alias(number)


def _one_domain(chance: Random, filled: Filled) -> Asked:
    number = chance.randint(1, filled.domains)
    return f"{API}/domains/{number}", filled.domain(number)


def _search_whole(chance: Random, filled: Filled) -> Asked:
    address = filled.user(chance.randint(1, filled.users))
    return listing("users", search=address), address


def _search_prefix(chance: Random, filled: Filled) -> Asked:
    # The beginning of somebody's name, so that there is somebody.
    text = f"user{chance.randint(1, filled.users)}"[:7]
    return listing("users", search=text), text


def _search_domain(chance: Random, filled: Filled) -> Asked:
    text = f"@{filled.domain(chance.randint(1, filled.domains))}"
    return listing("users", search=text), text


def _search_inner(chance: Random, filled: Filled) -> Asked:
    address = filled.user(chance.randint(1, filled.users))
    return listing("users", search=address.removeprefix("us")), address


def _search_aliases(chance: Random, filled: Filled) -> Asked:
    source = filled.alias(chance.randint(1, filled.aliases))
    return listing("aliases", search=source), source


def _search_page(chance: Random, filled: Filled) -> Asked:
    return f"/users?search={quote(filled.user(chance.randint(1, filled.users)))}", END_OF_PAGE


def _search_rows(chance: Random, filled: Filled) -> Asked:
    # They may come compressed: the status says all here.
    return f"/users?search={quote(filled.user(chance.randint(1, filled.users)))}", ""


def _page_of(path: str) -> Callable[[Random, Filled], Asked]:
    return lambda _chance, _filled: (path, END_OF_PAGE)


def _user_page(chance: Random, filled: Filled) -> Asked:
    return f"/users/{chance.randint(1, filled.users)}", END_OF_PAGE


def _page_of_users(chance: Random, filled: Filled) -> Asked:
    # The page itself says how many rows it has: ten or more.
    return f"/users?page={_page(chance, filled.users, most=50)}", END_OF_PAGE


READS = (
    Read("API users, first page", 6, _first_users),
    Read("API users, deep page", 3, _deep_users),
    Read("API users, sorted", 3, _sorted_users),
    Read("API users of a domain", 5, _users_of_domain),
    Read("API aliases, first page", 4, _first_aliases),
    Read("API aliases, sorted", 2, _sorted_aliases),
    Read("API domains, sorted", 5, _domains),
    Read("API one user", 8, _one_user),
    Read("API one alias", 4, _one_alias),
    Read("API one domain", 4, _one_domain),
    Read("search: whole address", 1.0, _search_whole),
    Read("search: prefix", 0.6, _search_prefix),
    Read("search: domain", 0.4, _search_domain),
    Read("search: inner text", 0.4, _search_inner),
    Read("search: alias", 0.6, _search_aliases),
    Read("search: page of users", 0.5, _search_page),
    Read("search: rows as typed", 0.5, _search_rows, ROWS_ALONE),
    Read("page dashboard", 3, _page_of("/")),
    Read("page users", 4, _page_of_users),
    Read("page one user", 4, _user_page),
    Read("page aliases", 3, _page_of("/aliases")),
    Read("page domains", 3, _page_of("/domains")),
    Read("page history", 2, _page_of("/history")),
)
