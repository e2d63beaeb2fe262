"""Files become items: PostMaster's own CSV and JSON, and cells that are safe in spreadsheets."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmaster.errors import Invalid
from postmaster.rules.imports import csv_rows, formats, own_csv, own_json
from postmaster.rules.imports.items import (
    AliasItem,
    BadItem,
    DomainItem,
    Item,
    Source,
    UserItem,
)
from tests.rules.bulk import source

# What a file encoded as UTF-8 can hold.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def read_csv(content: str | bytes) -> list[Item]:
    raw = content if isinstance(content, bytes) else content.encode()
    return list(own_csv.read([Source("a.csv", io.BytesIO(raw))]))


def read_json(content: str) -> list[Item]:
    return list(own_json.read([source(content, "a.json")]))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv_as_spreadsheets_write_it(separator: str, end: str, mark: str) -> None:
    lines = [
        ["Kind ", "address", "destination", "password", "note"],
        ["domain", "example.com", "", "", "ours"],
        ["USER", "ana@example.com", "", " a password ", ""],
        ["", "", "", "", ""],
        ["user", "bob@example.com", "", "", ""],
        ["alias", "'@example.com", "ana@example.com", "", "'=1+1"],
    ]
    text = mark + end.join(separator.join(cells) for cells in lines)
    assert read_csv(text) == [
        DomainItem(2, "example.com", "ours"),
        UserItem(3, "ana@example.com", password=" a password "),
        UserItem(5, "bob@example.com", generate=True),
        AliasItem(6, "@example.com", "ana@example.com", "=1+1"),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("mailbox,a@b.example,,,", "must be domain, user or alias"),
        ("domain,b.example,,secret,", "A domain has no password"),
        ("alias,a@b.example,c@b.example,secret,", "An alias has no password"),
        ("user,a@b.example,c@b.example,,", "A user has no destination"),
        ("user,a@b.example,,secret,$6$hash", "a password or a hash, not both"),
        ("user,a@b.example,,,,more", "more cells than columns"),
    ],
)
def test_a_line_that_cannot_be_read_says_why_and_the_others_are_read(
    line: str, reason: str
) -> None:
    header = "kind,address,destination,password,hash\n"
    bad, good = read_csv(f"{header}{line}\ndomain,b.example,,,\n")
    assert isinstance(bad, BadItem)
    assert bad.line == 2
    assert reason in str(bad.error)
    assert "secret" not in str(bad.error)
    assert good == DomainItem(3, "b.example")


def test_a_line_that_is_no_utf_8_is_refused() -> None:
    good, bad = read_csv(b"kind,address\ndomain,b.example\ndomain,m\xfcnchen.example\n")
    assert good == DomainItem(2, "b.example")
    assert isinstance(bad, BadItem)
    assert "UTF-8" in str(bad.error)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"kind,name\n", "must name the columns"),
        (b"kind,address,colour\n", "must name the columns"),
        (b"kind,address,address\n", "must name the columns"),
        (b"", "must name the columns"),
        ("kind,address\n".encode("utf-16"), "UTF-16"),
        (b'kind,address\ndomain,"b.example\n', "quotation mark"),
        (b"kind,address\ndomain," + b"x" * 200_000, "cannot be read"),
    ],
)
def test_a_file_that_is_no_such_csv_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        read_csv(content)


def test_json_lists_of_each_kind() -> None:
    text = """\ufeff{"users": [{"email": "ana@b.example", "password": "secret"},
        {"address": "bob@b.example", "hash": "$6$x", "note": null}],
    "domains": ["b.example", {"name": "c.example", "note": "ours"}], "aliases": [
        {"source": "@b.example", "destination": "'=x@b.example"}]}"""
    assert read_json(text) == [
        UserItem(1, "ana@b.example", password="secret"),
        UserItem(2, "bob@b.example", hashed="$6$x"),
        DomainItem(3, "b.example"),
        DomainItem(3, "c.example", "ours"),
        AliasItem(4, "@b.example", "'=x@b.example"),
    ]


@pytest.mark.parametrize("value", ["{}", '{"users": []}', '{"users": [], "domains": []} \n'])
def test_json_may_be_empty(value: str) -> None:
    assert read_json(value) == []


@pytest.mark.parametrize("value",
    ["3", "9" * 5000, r'{"\ud800": "x"}', r'{"note": "\ud800"}', '["x"]', '{"email": 5}',
     '{"colour": "red"}'],
)  # fmt: skip
def test_a_json_item_that_is_none_says_so(value: str) -> None:
    bad, good = read_json(f'{{"users": [{value}, {{"email": "ana@b.example"}}]}}')
    assert isinstance(bad, BadItem)
    assert good == UserItem(1, "ana@b.example", generate=True)


@pytest.mark.parametrize(
    "value",
    ["[]", "{", '{"people": []}', '{"users": [1 2]}', '{"users": ["a"]} x', '{"users": ["a',
     '{"users": {}}', '{"users": [,]}', '{["users"]: []}', "{{}: []}", "{5: []}"],
)  # fmt: skip
def test_a_file_that_is_no_such_json_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="JSON object"):
        read_json(value)


def test_json_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"domains": ["ä.example", "b.example"], "users": [{"email": "ö@b.example"}]}'
    whole = read_json(text)
    for size in range(1, 12):
        monkeypatch.setattr(own_json, "PIECE", size)
        assert read_json(text) == whole


def test_the_format_is_recognised_and_can_be_named() -> None:
    assert formats.detect([source(' {"users": []}')]).name == "json"
    assert formats.detect([source("address;kind\n")]).name == "csv"
    assert formats.named("csv").read is own_csv.read
    with pytest.raises(Invalid, match="not known"):
        formats.detect([source("hello\n")])
    with pytest.raises(Invalid, match="must be one of"):
        formats.named("xls")


@given(TEXTS)
def test_any_text_comes_back_from_a_cell_and_is_no_formula(text: str) -> None:
    cell = csv_rows.neutralised(text)
    assert csv_rows.restored(cell) == text
    assert not cell.startswith(csv_rows.FORMULA)


@given(TEXTS)
def test_any_text_comes_back_through_a_file(text: str) -> None:
    file = io.StringIO()
    rows = [("kind", "address", "note"), ("domain", "b.example", csv_rows.neutralised(text))]
    csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    assert read_csv(file.getvalue()) == [DomainItem(2, "b.example", text or None)]


def test_a_written_apostrophe_stays_unless_it_hides_a_formula() -> None:
    assert csv_rows.restored("'s-Hertogenbosch") == "'s-Hertogenbosch"
    assert csv_rows.restored("'@b.example") == "@b.example"
    assert csv_rows.restored("@b.example") == "@b.example"
