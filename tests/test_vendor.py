"""The vendored files: each is what ops/vendor/refresh wrote, and none asks another host."""

import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
VENDOR = ROOT / "postmaster/static/vendor"
LOCK = ROOT / "ops/vendor/package-lock.json"
KIB = 1024
# The name of SVG's language. Nobody fetches it.
SVG = "http://www.w3.org/2000/svg"


@pytest.fixture(scope="module")
def sources() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VENDOR / "SOURCES.json").read_text())
    return found


@pytest.fixture(scope="module")
def locked() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(LOCK.read_text())["packages"]
    return found


@pytest.fixture(scope="module")
def css() -> str:
    return (VENDOR / "panel.css").read_text()


def test_every_file_is_listed_and_has_not_been_changed(sources: dict[str, Any]) -> None:
    there = {path.name: path.read_bytes() for path in VENDOR.iterdir()}
    del there["SOURCES.json"]
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in there.items()}
    assert hashes == {name: source["sha256"] for name, source in sources.items()}


def test_the_files_come_from_the_versions_that_the_lock_file_pins(
    sources: dict[str, Any], locked: dict[str, Any]
) -> None:
    packages = {package for source in sources.values() for package in source["packages"]}
    asked_for = locked[""]["dependencies"]
    pinned = {f"{name}@{locked[f'node_modules/{name}']['version']}" for name in asked_for}
    assert packages == pinned
    assert pinned == {f"{name}@{version}" for name, version in asked_for.items()}


def test_the_lock_file_pins_by_hash_and_names_no_registry(locked: dict[str, Any]) -> None:
    packages = {name: package for name, package in locked.items() if name}
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not [name for name, package in packages.items() if "resolved" in package]


def test_the_style_sheet_asks_no_other_host(css: str) -> None:
    assert "@import" not in css
    assert not re.findall(r"https?://[^\s'\")]*", css.replace(SVG, ""))
    fetched = [name for name in re.findall(r"url\(\"?([^\")]*)", css) if name[:5] != "data:"]
    assert sorted(fetched) == ["lato-400.woff2", "lato-700.woff2"]
    assert all((VENDOR / name).is_file() for name in fetched)


def test_dark_mode_needs_no_script(css: str) -> None:
    assert "prefers-color-scheme: dark" in css
    assert "data-bs-theme=dark" not in css.replace(".navbar[data-bs-theme=dark]", "")


def test_the_style_sheet_stays_small(css: str) -> None:
    assert len(gzip.compress(css.encode())) < 32 * KIB


def test_every_icon_that_a_template_names_is_there(css: str) -> None:
    templates = (ROOT / "postmaster/templates").rglob("*.html")
    named = {
        name for page in templates for name in re.findall(r'\bicon\("([^"]+)"', page.read_text())
    }
    assert not {name for name in named if f".icon-{name}{{" not in css}


def test_every_licence_is_kept(locked: dict[str, Any]) -> None:
    licences = (VENDOR / "LICENSES.txt").read_text()
    assert not [name for name in locked[""]["dependencies"] if f"{name} " not in licences]
    assert "SIL OPEN FONT LICENSE" in licences
    assert "Reserved Font Name" in licences
