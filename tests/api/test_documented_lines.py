"""The lines of docs/api.md, run with the real curl against a real server."""

import itertools
import json
import os
import re
import subprocess
from pathlib import Path

from tests.cli import manage
from tests.conftest import database_name
from tests.mariadb import MariaDB
from tests.resilience.server import Server

API = Path(__file__).parent.parent.parent / "docs" / "api.md"
DOCUMENTED = "http://127.0.0.1:8082"
DOCUMENTED_DATE = "Tue, 24 Nov 2026 12:00:00 GMT"
DOCUMENTED_PLAN = "5a1f0c6e9b7d4382a6c15e0f93b8d274"
A_DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
A_PLAN = re.compile(r'(?<="plan":")[0-9a-f]{32}(?=")')
BLOCK = re.compile(r"^```(sh|json|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_documented_line_answers_what_is_documented(
    mariadb: MariaDB, guide_database: str, tmp_path: Path
) -> None:
    manage.use_database(tmp_path, guide_database)
    assert manage.run(tmp_path, "existingdb").status == 0
    blocks = BLOCK.findall(API.read_text(encoding="utf-8"))
    compared = 0
    with Server(guide_database, tmp_path) as server:
        check_rows(mariadb, guide_database, server)
        for (kind, line), (answer_kind, answer) in itertools.pairwise(blocks[1:]):
            if kind != "sh":
                continue
            done = subprocess.run(
                ["bash", "-c", line],
                env=os.environ | {"HOST": server.url},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=True,
            )
            output = done.stdout.replace(server.url, DOCUMENTED)
            output = A_PLAN.sub(DOCUMENTED_PLAN, A_DATE.sub(DOCUMENTED_DATE, output))
            if answer_kind == "json":
                assert json.loads(output) == json.loads(answer), line
            else:
                assert output == answer, line
            compared += 1
    assert compared == sum(kind == "sh" for kind, _ in blocks) - 1
    database = database_name(guide_database)
    for query, found in {
        "SELECT 1 FROM virtual_domains WHERE name='newer.example'": [(1,)],
        "SELECT 1 FROM virtual_users WHERE email='eve@newer.example'": [(1,)],
        "SELECT destination FROM virtual_aliases WHERE source='info@newer.example'": [
            ("eve@newer.example",)
        ],
        "SELECT email FROM virtual_users WHERE email='eve@newer.example'": [("eve@newer.example",)],
    }.items():
        assert mariadb.rows(database, query) == found


def check_rows(mariadb: MariaDB, guide_database: str, server: Server) -> None:
    """Every row of the guides' file is listed as it is."""
    cookies = server.sign_in()
    for noun, columns in {
        "domains": ("id", "name"),
        "users": ("id", "domain_id", "email"),
        "aliases": ("id", "domain_id", "source", "destination"),
    }.items():
        listed = server.ask("GET", f"/api/v1/{noun}?per_page=100&sort=id", cookies=cookies)
        query = f"SELECT {', '.join(columns)} FROM virtual_{noun} ORDER BY id"
        rows = mariadb.rows(database_name(guide_database), query)
        assert [tuple(item[c] for c in columns) for item in listed.json()["items"]] == rows
        assert len(rows) == {"domains": 6, "users": 5, "aliases": 7}[noun]
