"""The Debian packages of the tests: the version before, this one, and some that are broken."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from postmaster.version import VERSION
from tests.install.tree import Tree

ROOT = Path(__file__).parent.parent.parent
BUILD = ROOT / "ops" / "deb" / "build"
REPOSITORY = ROOT / "ops" / "deb" / "repository"
BEFORE = "2.0.0"
# The commit of the tag v2.0.0, where a clone has no tags. Its tables are older than today's.
COMMIT_BEFORE = "ec2694f35a3dcfcd7bfe5affd1cb45821f89a97c"
BROKEN = "ffffffffffff"
BROKEN_MIGRATION = '''
"""A migration that fails."""

revision = "{broken}"
down_revision = "{head}"


def upgrade() -> None:
    """Fail, half-way."""
    from alembic import op

    op.execute("ALTER TABLE postmaster_admins ADD half INT")
    op.execute("THIS IS NO SQL")


def downgrade() -> None:
    """Nothing was done."""
'''


@dataclass(frozen=True)
class Packages:
    """Where the packages are."""

    before: Path
    now: Path
    # Whether the one before makes older tables.
    is_older: bool


def build(python: str, folder: Path) -> Packages:
    """Build the version before and this one, for one Python."""
    known = subprocess.run(
        ["git", "cat-file", "-e", f"{COMMIT_BEFORE}^{{commit}}"],
        cwd=ROOT,
        check=False,
        capture_output=True,
    )
    # A shallow clone has no older version: then the same files are taken for it.
    source = ["--from", COMMIT_BEFORE] if known.returncode == 0 else []
    now = _build(python, folder)
    before = _build(python, folder, *source, "--version", BEFORE)
    return Packages(before, now, is_older=bool(source))


def _build(python: str, folder: Path, *options: str) -> Path:
    built = subprocess.run(
        [BUILD, "--python", python, "--into", folder, "--wheels", folder / "wheels", *options],
        check=False,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return Path(built.stdout.strip())


def repack(package: Path, version: str, head: str = "") -> Path:
    """The same package with another version; with ``head`` its migration after that one fails."""
    folder = package.parent / version
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder], check=True)
    control = folder / "DEBIAN" / "control"
    text = control.read_text(encoding="utf-8")
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", text), encoding="utf-8")
    source = folder / "usr/lib/postmaster/source"
    number = source / "postmaster/version.py"
    number.write_text(number.read_text(encoding="utf-8").replace(VERSION, version), "utf-8")
    if head:
        migration = source / "migrations/versions" / f"{BROKEN}_broken.py"
        migration.write_text(BROKEN_MIGRATION.format(broken=BROKEN, head=head), encoding="utf-8")
        known = source / "postmaster/revisions.py"
        more = f'    "{head}",\n    "{BROKEN}",\n'
        known.write_text(known.read_text("utf-8").replace(f'    "{head}",\n', more), "utf-8")
    built = package.parent / f"postmaster_{version}.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "--build", folder, built],
        check=True,
        capture_output=True,
    )
    return built


def put(tree: Tree, package: Path) -> str:
    """Copy a package into the tree; its path there."""
    path = f"/srv/{package.name}"
    (tree.root / path.lstrip("/")).write_bytes(package.read_bytes())
    return path
