"""The house's rules, read from its own imports. A failure says where the code belongs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from postmaster.security import PUBLIC_ENDPOINTS

ROOT = Path(__file__).parent.parent / "postmaster"

# From the ground up. A module imports only from lower floors, or from its own where
# that is said to be fine.
FLOORS = (
    {"errors", "version", "appending"},
    {
        "config",
        "connections",
        "counters",
        "logfile",
        "database_faults",
        "rules.actor",
        "rules.addresses",
        "rules.languages",
        "rules.passwords",
        "rules.schemes",
        "rules.strengths",
        "rules.totp",
    },
    # A directory and a provider, which know nothing of the database.
    {"directory", "directory.kinds", "directory.faults", "directory.certificates"},
    {"directory.syntax", "directory.filters"},
    {"directory.plan", "directory.names", "directory.trail"},
    {"directory.binding", "directory.turnstile"},
    {"directory.ntlm", "directory.entries"},
    {"directory.connections"},
    {"directory.states", "directory.groups"},
    {"directory.finding"},
    {"directory.asking"},
    {"openid", "openid.faults", "openid.plan"},
    {"openid.asking"},
    {"openid.places"},
    {"openid.tokens", "openid.claims"},
    {"openid.signing_in"},
    {"db", "collations", "old_config"},
    {"models", "revisions"},
    {
        "rules.conditions",
        "rules.lengths",
        "rules.rows",
        "rules.actions",
        "rules.consequences",
        "rules.expansion",
    },
    {"rules.suspensions", "rules.trace_words", "rules.totals"},
    {"rules.matches"},
    {"rules.paging", "rules.settings", "rules.turns", "rules.affected"},
    {"rules.alias_verdicts", "rules.mail_tables", "rules.traces", "rules.directories"},
    {"rules.history", "rules.alias_rules", "rules.removals", "rules.trace"},
    {
        "rules.clock",
        "rules.sessions",
        "rules.versions",
        "rules.dashboard",
        "rules.notes",
        "rules.recording",
    },
    {"rules.settings_acts", "rules.aliases", "rules.admins"},
    {"rules.users", "rules.twofactor", "rules.attempts"},
    {
        "rules.domains",
        "rules.elsewhere",
        "rules.trials",
        "rules.returning",
        "rules.suspension_acts",
        "rules.user_moves",
        "rules.planned_acts",
    },
    {"rules.unmaking", "rules.notes_back", "rules.login", "rules.providers"},
    {"rules.account", "rules.overviews", "rules.undo", "rules.foresight"},
    {"rules.patches"},
    # The checkup of the tables.
    {"rules.checkup", "rules.checkup.findings"},
    {"rules.checkup.scanning"},
    {"rules.checkup.domains", "rules.checkup.users", "rules.checkup.aliases"},
    {
        "rules.checkup.accounts",
        "rules.checkup.circles",
        "rules.checkup.installation",
        "rules.checkup.passwords",
        "rules.checkup.sign_ins",
        "rules.checkup.plans",
        "rules.checkup.tables",
    },
    {
        "rules.checkup.checking",
        "rules.checkup.domain_repairs",
        "rules.checkup.user_repairs",
    },
    {"rules.checkup.alias_repairs"},
    {"rules.checkup.repairs"},
    # The mail server's configuration: all of it is pure, but for the last.
    {
        "rules.server_config",
        "rules.server_config.masking",
        "rules.server_config.panel",
        "rules.server_config.questions",
    },
    {
        "rules.server_config.findings",
        "rules.server_config.texts",
        "rules.server_config.postfix_syntax",
    },
    {"rules.server_config.asked", "rules.server_config.dovecot_syntax"},
    {"rules.server_config.maps"},
    {
        "rules.server_config.main_cf",
        "rules.server_config.lookups",
        "rules.server_config.dovecot_sql",
    },
    {"rules.server_config.dovecot"},
    {"rules.server_config.agreement", "rules.server_config.sockets"},
    {"rules.server_config.judgement"},
    {"rules.server_config.checking"},
    # Imports, from a line of a file to the run.
    {"rules.imports", "rules.imports.items"},
    {
        "rules.imports.csv_rows",
        "rules.imports.fields",
        "rules.imports.hashing",
        "rules.imports.ranks",
        "rules.imports.verdicts",
    },
    {
        "rules.imports.own_csv",
        "rules.imports.own_json",
        "rules.imports.password_file",
        "rules.imports.wanted",
    },
    {"rules.imports.dumps"},
    {"rules.imports.postfixadmin", "rules.imports.vimbadmin"},
    {"rules.imports.formats", "rules.imports.order", "rules.imports.present"},
    {"rules.imports.catch_alls"},
    {"rules.imports.planning"},
    {"rules.imports.writing"},
    {"rules.imports.running"},
    {"rules.imports.sealing"},
    {"rules.imports.parts"},
    {"rules.imports.uploads"},
    # What a YAML file declares.
    {
        "rules.declarations",
        "rules.declarations.afterwards",
        "rules.declarations.belonging",
        "rules.declarations.document",
    },
    {"rules.declarations.differences", "rules.declarations.writing"},
    {"rules.declarations.applying"},
    {"rules.declarations.proposals"},
    {"rules.exports"},
    {"snapshot", "examining"},
    {"schema", "backup"},
    {"security", "health"},
    {"metrics", "signing_in"},
    {"pages", "api", "cli"},
    {"refusals"},
    {"postmaster"},
)
PURE = {
    "errors",
    "rules.actor",
    "rules.addresses",
    "rules.passwords",
    "rules.schemes",
    "rules.totp",
}
SURFACES = {"flask", "wtforms", "flask_wtf", "flask_login", "flask_smorest", "click"}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def name_of(path: Path) -> str:
    """``rules.aliases``; the surfaces count as one module each, the factory as the top."""
    parts = [*path.relative_to(ROOT).with_suffix("").parts]
    if parts[-1] == "__init__":
        parts.pop()
    if not parts:
        return "postmaster"
    return parts[0] if parts[0] in ("pages", "api", "cli") else ".".join(parts)


def imported(path: Path) -> set[str]:
    """The project's own modules that a file imports."""
    package = ["postmaster", *path.relative_to(ROOT).parent.parts]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = [*base, *(node.module.split(".") if node.module else [])]
            if module[:1] == ["postmaster"]:
                for alias in node.names:
                    found.add(known(".".join([*module[1:], alias.name])))
        elif isinstance(node, ast.Import):
            found |= {known(a.name[11:]) for a in node.names if a.name.startswith("postmaster.")}
    return found - {""}


def known(dotted: str) -> str:
    """The module that a name is or is in: ``rules.actor.Actor`` is in ``rules.actor``."""
    parts = dotted.split(".")
    if parts[0] in ("pages", "api", "cli"):
        return parts[0]
    while parts and not (
        (ROOT / Path(*parts)).with_suffix(".py").exists() or (ROOT / Path(*parts)).is_dir()
    ):
        parts.pop()
    return ".".join(parts)


def floor(name: str) -> int:
    for number, names in enumerate(FLOORS):
        if name in names:
            return number
    raise AssertionError(f"{name} has no floor yet: say in FLOORS where it belongs")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    name = name_of(path)
    if name == "rules":
        return
    for other in imported(path) - {name, "rules"}:
        assert floor(other) < floor(name), (
            f"{path.relative_to(ROOT.parent)} imports {other}, which is not below it: "
            f"what both need belongs into a module under them"
        )


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_db_commits(path: Path) -> None:
    if name_of(path) in ("db", "connections"):  # the latter gives connections back
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in ("commit", "rollback"), (
                f"{path.relative_to(ROOT.parent)}:{node.lineno} ends a transaction: "
                "an act flushes, and db.transact() commits it"
            )


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_rules_know_no_surface(path: Path) -> None:
    name = name_of(path)
    if not name.startswith("rules") and name not in ("errors", "models", "logfile"):
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        for module in names:
            assert module.split(".")[0] not in SURFACES, (
                f"{path.relative_to(ROOT.parent)} imports {module}: a rule takes its session "
                "and its actor as arguments and never sees a request"
            )
            if name in PURE:
                assert module.split(".")[0] != "sqlalchemy", (
                    f"{path.relative_to(ROOT.parent)} imports {module}: this rule is pure"
                )


# Each takes megabytes of every worker, and few workers ever need it.
HEAVY = ("alembic", "flask_migrate", "ldap3", "pygments", "segno", "tomlkit", "zxcvbn")


def test_a_process_that_serves_loads_nothing_that_few_need(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from postmaster import create_app\n"
        f"folder = {str(tmp_path)!r}\n"
        "create_app({'database_uri': f'sqlite:///{folder}/database', 'secret_key': 'x' * 32,"
        " 'log_file': f'{folder}/log'})\n"
        f"print([name for name in {HEAVY} if name in sys.modules])\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    assert loaded.stdout.strip() == "[]"


def test_every_file_has_one_job() -> None:
    for path in modules():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 450, f"{path.relative_to(ROOT.parent)} has {lines} lines: has it two jobs?"


def test_no_name_says_nothing() -> None:
    for path in modules():
        assert path.stem not in ("utils", "helpers", "misc", "common"), path


ARGUMENTS = {
    "address": "ana@example.com",
    "item_id": 1,
    "domain_id": 1,
    "user_id": 1,
    "alias_id": 1,
    "admin_id": 1,
    "setting_id": 1,
    "entry_id": 1,
    "code": "alias-double",
    "import_id": 1,
    "filename": "postmaster.css",
}
ANSWERS_TO_STRANGERS = {
    "static": 200,
    "health.healthz": 200,
    "metrics.show": 404,  # as long as no address is listed
    "login.sign_in": 200,
    "openid.begin": 404,  # as long as no provider is set
    "openid.finish": 404,
}


def test_a_stranger_reaches_the_public_list_and_nothing_else(
    app: Flask, stranger: FlaskClient
) -> None:
    """Every route, every method."""
    seen = set()
    with app.test_request_context():
        routes = [
            (rule, method, app.url_for(rule.endpoint, **{a: ARGUMENTS[a] for a in rule.arguments}))
            for rule in app.url_map.iter_rules()
            for method in sorted(rule.methods or ())
        ]
    for rule, method, path in routes:
        response = stranger.open(path, method=method)
        response.close()
        if rule.endpoint in PUBLIC_ENDPOINTS:
            seen.add(rule.endpoint)
            assert response.status_code == ANSWERS_TO_STRANGERS[rule.endpoint], path
        elif path.startswith("/api/"):
            assert response.status_code == 401, f"{method} {path} is open to strangers"
            assert response.is_json
        else:
            assert response.status_code == 302, f"{method} {path} is open to strangers"
            assert response.headers["Location"].startswith("/login")
    assert seen == PUBLIC_ENDPOINTS
