"""The files that the documentation and the import page show work as they stand there."""

import html
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.cli.conftest import Commands

DOCS = Path(__file__).parent.parent.parent / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"<pre[^>]*><code>(.*?)</code></pre>", re.DOTALL)
NONE_REFUSED = "change: 0, skip: 0, conflict: 0, error: 0"


def blocks(document: str, language: str) -> list[str]:
    """The blocks of one language in a document."""
    text = (DOCS / document).read_text(encoding="utf-8")
    return [block for found, block in BLOCK.findall(text) if found == language]


def import_of(manage: Commands, folder: Path, block: str) -> str:
    """What an import of this file prints."""
    file = folder / "file"
    file.write_text(block, encoding="utf-8")
    assert "The catch-all" not in manage("import", str(file), "--plan")
    return manage("import", str(file), "--yes")


@pytest.mark.parametrize("language", ["csv", "json"])
def test_documented_files_are_imported(manage: Commands, tmp_path: Path, language: str) -> None:
    (block,) = blocks("bulk.md", language)
    assert NONE_REFUSED in import_of(manage, tmp_path, block)


def shown_by(client: FlaskClient, path: str) -> str:
    """The file that a page shows."""
    (shown,) = SHOWN.findall(client.get(path).text)
    return html.unescape(shown)


def test_the_file_that_the_page_shows_is_imported(
    manage: Commands, client: FlaskClient, tmp_path: Path
) -> None:
    assert NONE_REFUSED in import_of(manage, tmp_path, shown_by(client, "/import"))


def test_the_documented_declaration_is_applied_and_is_the_one_that_the_page_shows(
    manage: Commands, client: FlaskClient, tmp_path: Path
) -> None:
    (block,) = blocks("declarative.md", "yaml")
    assert block.strip() == shown_by(client, "/declared")
    file = tmp_path / "mail.yaml"
    file.write_text(block, encoding="utf-8")
    planned = manage.run("plan", str(file))
    assert planned.exit_code == 2, planned.output
    assert "\n! " not in planned.stdout
    manage("apply", str(file), "--yes", "--passwords-to", str(tmp_path / "passwords"))
    assert manage("plan", str(file)).startswith("Nothing to do")
