"""A declaration: what a YAML file says is to be there, with the line of each thing.

The file is read as text nodes, not as values: ``no``, ``1e3`` and ``007`` are local parts
like any other. A key that stands twice is refused, where YAML's readers let the last count.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import yaml

from ...errors import Invalid, Phrase, RuleError
from .. import addresses, alias_rules, domains, passwords, suspensions, users

# libyaml's is twelve times as fast; PyYAML may be without it.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NULL = "tag:yaml.org,2002:null"
NOT_SUSPENDED = "no"
CATCH_ALL = "@"

IN_FILE = ("governs", "domains")
IN_DOMAIN = ("users", "aliases")
IN_USER = ("address", "hash", "suspended")


@dataclass(frozen=True, slots=True)
class DeclaredUser:
    """A mailbox that is to be there. What is None stays as it is.

    ``written`` is the address as it stands there, in lower case; ``address`` the same,
    normalised where that is possible.
    """

    line: int
    written: str
    address: str
    hashed: str | None = field(default=None, repr=False)
    suspended: str | None = None


@dataclass(frozen=True, slots=True)
class DeclaredAlias:
    """One destination of one source that is to be there."""

    line: int
    written: tuple[str, str]
    source: str
    destination: str


@dataclass
class Declaration:
    """What is to be there, in the domains that it governs and in no other."""

    governs: dict[str, int] = field(default_factory=dict)
    domains: dict[str, int] = field(default_factory=dict)
    users: list[DeclaredUser] = field(default_factory=list)
    aliases: list[DeclaredAlias] = field(default_factory=list)


def at_line(line: int, error: RuleError) -> Invalid:
    """The same refusal, with the line of the file that it is about."""
    return Invalid("Line %(line)s: %(reason)s", field="file", line=line, reason=error)


def read(stream: BinaryIO) -> Declaration:
    """The declaration in a file. Raises Invalid, with the line."""
    root = _composed(stream)
    if root is None:
        raise Invalid("The file is empty: it must say which domains it governs", field="file")
    found = Declaration()
    parts = _mapping(root, IN_FILE)
    if "governs" not in parts:
        raise Invalid(
            "The file must say which domains it governs, such as governs: [example.com]",
            field="file",
        )
    for node in _sequence(parts["governs"][1]):
        name = _domain_name(node)
        _once(found.governs, name, _line(node), node)
    if "domains" in parts:
        for key, node in _pairs(parts["domains"][1]):
            _read_domain(found, key, node)
    return found


def _read_domain(found: Declaration, key: yaml.Node, node: yaml.Node) -> None:
    name = _domain_name(key)
    if name not in found.governs:
        raise _refused(
            key,
            Phrase('The file does not govern "%(name)s": add it to governs, or leave it out here'),
            name=name,
        )
    _once(found.domains, name, _line(key), key)
    parts = _mapping(node, IN_DOMAIN)
    if "users" in parts:
        seen: dict[str, int] = {}
        for each in _sequence(parts["users"][1]):
            user = _user(each, name)
            _once(seen, user.address, user.line, each)
            found.users.append(user)
    if "aliases" in parts:
        _read_aliases(found, parts["aliases"][1], name)


def _read_aliases(found: Declaration, node: yaml.Node, domain: str) -> None:
    seen: dict[str, int] = {}
    for key, value in _pairs(node):
        text = _text(key)
        typed = f"@{domain}" if text == CATCH_ALL else _completed(key, text, domain)
        source = _normalised(typed, alias_rules.checked_source)
        _check_is_here(key, source, domain)
        _once(seen, source, _line(key), key)
        nodes = [value] if isinstance(value, yaml.ScalarNode) else _sequence(value)
        there: dict[str, int] = {}
        for each in nodes:
            aimed = _completed(each, _text(each), domain)
            destination = _normalised(aimed, alias_rules.checked_destination)
            _once(there, destination, _line(each), each)
            found.aliases.append(
                DeclaredAlias(_line(each), (typed.lower(), aimed.lower()), source, destination)
            )
        if not there:
            raise _refused(key, Phrase("The alias has no destination: give one, or leave it out"))


def _user(node: yaml.Node, domain: str) -> DeclaredUser:
    if isinstance(node, yaml.ScalarNode):
        return _user_at(node, node, domain, {})
    parts = _mapping(node, IN_USER)
    if "address" not in parts:
        raise _refused(node, Phrase("The user has no address"))
    return _user_at(node, parts["address"][1], domain, parts)


def _user_at(
    node: yaml.Node,
    address: yaml.Node,
    domain: str,
    parts: Mapping[str, tuple[yaml.Node, yaml.Node]],
) -> DeclaredUser:
    typed = _completed(address, _text(address), domain)
    normal = _normalised(typed, users.normalised)
    _check_is_here(address, normal, domain)
    hashed = suspended = None
    if "hash" in parts:
        hashed = passwords.without_default_scheme(_text(parts["hash"][1]))
        _checked(parts["hash"][1], lambda: users.check_hash(hashed or ""))
    if "suspended" in parts:
        suspended = _text(parts["suspended"][1])
        if suspended not in (*suspensions.Mode, NOT_SUSPENDED):
            raise _refused(
                parts["suspended"][1],
                Phrase("Suspended must be one of: %(modes)s"),
                modes=[*suspensions.Mode, NOT_SUSPENDED],
            )
    return DeclaredUser(_line(node), typed.lower(), normal, hashed, suspended)


def _completed(node: yaml.Node, text: str, domain: str) -> str:
    if not text.strip():
        raise _refused(node, Phrase("There is an address missing here"))
    return text if "@" in text else f"{text}@{domain}"


def _check_is_here(node: yaml.Node, address: str, domain: str) -> None:
    if address.rpartition("@")[2] != domain:
        raise _refused(
            node,
            Phrase('"%(address)s" stands under another domain, "%(domain)s"'),
            address=addresses.shown(address),
            domain=domain,
        )


def _normalised(text: str, normalise: Callable[[str], str]) -> str:
    """Normalised where that is possible: a row made by hand may be what no rule permits."""
    try:
        return normalise(text)
    except Invalid:
        return text.lower()


def _domain_name(node: yaml.Node) -> str:
    return str(_checked(node, lambda: domains.normalised(_text(node))))


def _checked(node: yaml.Node, check: Callable[[], Any]) -> Any:
    try:
        return check()
    except Invalid as error:
        raise at_line(_line(node), error) from None


# --- nodes ----------------------------------------------------------------------


def _composed(stream: BinaryIO) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(stream, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Invalid(
            "Line %(line)s cannot be read as YAML: %(problem)s",
            field="file",
            line=mark.line + 1 if mark is not None else 1,
            problem=error.problem or error.context or "",
        ) from None
    except yaml.YAMLError:
        raise Invalid("The file is not YAML in UTF-8", field="file") from None
    except RecursionError:
        raise Invalid("The file is nested too deeply", field="file") from None
    return None if node is None or node.tag == NULL else node


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _refused(node: yaml.Node, template: Phrase, **values: Any) -> Invalid:
    return at_line(_line(node), Invalid(template, **values))


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag == NULL:
        raise _refused(node, Phrase("There must be a text here"))
    return str(node.value)


def _sequence(node: yaml.Node) -> list[yaml.Node]:
    if node.tag == NULL:
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise _refused(node, Phrase("There must be a list here"))
    return list(node.value)


def _pairs(node: yaml.Node) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    if node.tag == NULL:
        return
    if not isinstance(node, yaml.MappingNode):
        raise _refused(node, Phrase("There must be names with a colon here"))
    seen: dict[str, int] = {}
    for key, value in node.value:
        _once(seen, _text(key), _line(key), key)
        yield key, value


def _mapping(node: yaml.Node, known: tuple[str, ...]) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    found = {}
    for key, value in _pairs(node):
        name = _text(key)
        if name not in known:
            raise _refused(
                key,
                Phrase('There is no "%(name)s" here; known are %(known)s'),
                name=addresses.shown(name),
                known=list(known),
            )
        found[name] = (key, value)
    return found


def _once(seen: dict[str, int], name: str, line: int, node: yaml.Node) -> None:
    if name in seen:
        raise _refused(
            node,
            Phrase('"%(name)s" stands in line %(before)s already'),
            name=addresses.shown(name),
            before=seen[name],
        )
    seen[name] = line
