"""Runs the real manage.py, as an operator would."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    status: int
    output: str
    error: str

    @property
    def refusal(self) -> str:
        """The one line that a refused command prints."""
        lines = self.error.splitlines()
        assert self.status == 1, self
        assert len(lines) == 1, self
        assert lines[0].startswith("Error: "), self
        return lines[0]


def use_database(folder: Path, uri: str) -> None:
    """The configuration file as ``manage.py setdburi URI`` leaves it, without waiting for that."""
    (folder / "postmaster.toml").write_text(f'database_uri = "{uri}"\n', encoding="utf-8")


def run(folder: Path, *arguments: str, given: str = "", **environment: str) -> Result:
    """``manage.py ARGUMENTS`` with its configuration file in this folder."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("POSTMASTER_")}
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=kept | {"POSTMASTER_CONFIG": str(folder / "postmaster.toml")} | environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Result(done.returncode, done.stdout, done.stderr)
