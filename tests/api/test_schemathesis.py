"""Calls generated from the API's own description, against a running server.

None ends in a 5xx, or in an answer that the description does not have. The
number of examples for each call and phase is POSTMASTER_GENERATED_EXAMPLES.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.cli import manage
from tests.mariadb import MariaDB
from tests.resilience.server import QUICK, Server

EXAMPLES = os.environ.get("POSTMASTER_GENERATED_EXAMPLES", "25")
SEED = os.environ.get("POSTMASTER_GENERATED_SEED", "1")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
ROOT = Path(__file__).parent.parent.parent


def test_no_generated_call_surprises(mariadb: MariaDB, guide_database: str, tmp_path: Path) -> None:
    manage.use_database(tmp_path, guide_database)
    assert manage.run(tmp_path, "existingdb").status == 0
    with Server(guide_database, tmp_path, application=QUICK) as server:
        document = server.ask("GET", "/api/v1/openapi.json", cookies=server.sign_in()).json()
        # Else it would make up sessions too, and never get past the first refusal.
        del document["security"], document["components"]["securitySchemes"]
        (tmp_path / "openapi.json").write_text(json.dumps(document))
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                "run",
                str(tmp_path / "openapi.json"),
                f"--url={server.url}",
                f"--checks={','.join(CHECKS)}",
                f"--max-examples={EXAMPLES}",
                f"--seed={SEED}",
                "--no-color",
            ],
            cwd=tmp_path,
            env=os.environ
            | {
                "PYTHONPATH": str(ROOT),
                "SCHEMATHESIS_HOOKS": "tests.api.generated_calls",
                "GENERATED_HOST": server.url,
                "GENERATED_DATABASE": guide_database,
                "GENERATED_STATUSES": str(tmp_path / "statuses.json"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    sys.stdout.write(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    counted = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert counted is not None, done.stdout
    assert counted[1] == counted[2]
    statuses = json.loads((tmp_path / "statuses.json").read_text())
    sys.stdout.write(f"statuses: {statuses}\n")
    total = sum(statuses.values())
    # Some calls end the session that makes them, and a few are made before the next one.
    assert statuses.get("401", 0) < total / 10, "the calls were not signed in"
    assert sum(n for status, n in statuses.items() if status < "300") > total / 20
