"""The forms of user names, and what may stand in a filter."""

import pytest

from postmaster.directory import filters, names, syntax
from postmaster.directory.names import Form


@pytest.mark.parametrize(
    ("typed", "form", "account", "domain"),
    [
        ("alice", Form.PLAIN, "alice", ""),
        ("  Alice ", Form.PLAIN, "Alice", ""),
        ("alice@corp.example.com", Form.PRINCIPAL, "alice", "corp.example.com"),
        ("a@b@corp.example.com", Form.PRINCIPAL, "a@b", "corp.example.com"),
        (r"CORP\alice", Form.DOWN_LEVEL, "alice", "CORP"),
        ("cn=Alice,dc=example", Form.DN, "cn=Alice,dc=example", ""),
        ("cn=Alice, dc=example", Form.DN, "cn=Alice, dc=example", ""),
        (r"cn=Liddell\, Alice,dc=example", Form.DN, r"cn=Liddell\, Alice,dc=example", ""),
        ("*()&|", Form.PLAIN, "*()&|", ""),
        ("x" * 512, Form.PLAIN, "x" * 512, ""),
    ],
)
def test_forms(typed: str, form: Form, account: str, domain: str) -> None:
    name = names.read(typed)
    assert name is not None
    assert (name.form, name.account, name.domain) == (form, account, domain)


@pytest.mark.parametrize(
    "typed",
    ["", "  ", "@corp.example.com", "alice@", "CORP\\", "\\alice", "a\x00b", "a\nb", "x" * 513],
)
def test_what_is_no_name(typed: str) -> None:
    assert names.read(typed) is None


def test_values_are_escaped_and_never_filled_again() -> None:
    filled = filters.fill("(&(uid={user})(o={dn})(x={other}))", user="*)({dn}\\", dn="a(b")
    assert filled == r"(&(uid=\2a\29\28{dn}\5c)(o=a\28b)(x={other}))"


@pytest.mark.parametrize("text", ["", " ", "alice", "cn=", "=x", "cn=a,b", "a@b.example"])
def test_what_is_no_dn(text: str) -> None:
    assert not syntax.is_dn(text)


@pytest.mark.parametrize("text", ["", "uid=a", "(uid=a", "(uid=a)x", "((uid=a))", "(&)", "()"])
def test_what_is_no_filter(text: str) -> None:
    assert not syntax.is_filter(text)


@pytest.mark.parametrize("text", ["(uid=a)", "(&(a=b)(!(c=*)))", "(memberOf:1.2.840:=cn=a)"])
def test_filters(text: str) -> None:
    assert syntax.is_filter(text)
