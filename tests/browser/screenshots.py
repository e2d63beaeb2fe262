"""Pictures of every page, for docs/images and for people to look at: ops/screenshots.

    ops/screenshots [--into FOLDER] [NAME...]

Names choose pages; without one all are made.
"""

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser

from tests.browser import chromium, demonstration, traffic
from tests.browser.looks import Look
from tests.browser.served import Served
from tests.conftest import dispose
from tests.resilience.server import ROOT

LOOKS = {
    f"{device}-{colours}": Look(colours=colours, width=width, height=height)
    for device, width, height in (("desktop", 1280, 800), ("phone", 390, 844))
    for colours in ("light", "dark")
}


@dataclass(frozen=True)
class Picture:
    """One page to show; what stands in braces in its path is named by the demonstration."""

    name: str
    path: str
    signed_in: bool = True


PICTURES = (
    Picture("login", "/login", signed_in=False),
    Picture("dashboard", "/"),
    Picture("domains", "/domains"),
    Picture("users", "/users"),
    Picture("aliases", "/aliases"),
    Picture("admins", "/admins"),
    Picture("configs", "/configs"),
    Picture("logs", "/logs"),
    Picture("history", "/history"),
    Picture("account", "/account"),
    Picture("domain", "/domains/{domain}"),
    Picture("user", "/users/{user}"),
    Picture("alias", "/aliases/{alias}"),
    Picture("delete-domain", "/domains/{domain}/delete"),
    Picture("delete-user", "/users/{user}/delete"),
    Picture("suspended-user", "/users/{suspended}"),
    Picture("suspend", "/users/suspend?id={user}"),
    Picture("trace", "/trace?address={traced}"),
    Picture("checkup", "/checkup"),
    Picture("repair", "/checkup/alias-dangling"),
    Picture("server-configuration", "/checkup/server"),
    Picture("imports", "/import"),
    Picture("import", "/import/{planned}"),
)


def main() -> None:
    """Make the pictures; say what did not work, at the end."""
    parser = argparse.ArgumentParser(prog="ops/screenshots", description="Pictures of the pages")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a page, such as users")
    parser.add_argument("--into", type=Path, default=ROOT / "docs/images", metavar="FOLDER")
    options = parser.parse_args()
    known = {picture.name for picture in PICTURES}
    unknown = sorted(set(options.names) - known)
    if unknown:
        parser.error(f"no such page: {', '.join(unknown)}. There are: {', '.join(sorted(known))}")
    chosen = [it for it in PICTURES if not options.names or it.name in options.names]
    options.into.mkdir(parents=True, exist_ok=True)

    with tempfile.TemporaryDirectory(prefix="postmaster-screenshots-") as name:
        folder = Path(name)
        # Not the developer's own configuration.
        os.environ["POSTMASTER_CONFIG"] = str(folder / "postmaster.toml")
        served = Served(f"sqlite:///{folder}/postmaster.sqlite3", folder)
        with served.server, chromium.running() as browser:
            names = demonstration.fill(served)
            faults = [
                fault
                for look_name, look in LOOKS.items()
                for fault in take(served, browser, look_name, look, chosen, names, options.into)
            ]
        dispose(served.prepared.app)
    if faults:
        sys.exit("\n".join(["Not every picture is right:", *faults]))
    sys.stderr.write(f"{len(chosen) * len(LOOKS)} pictures are in {options.into}\n")


def take(
    served: Served,
    browser: Browser,
    look_name: str,
    look: Look,
    chosen: list[Picture],
    names: dict[str, int | str],
    into: Path,
) -> list[str]:
    """Every chosen page in one look; what was wrong."""
    faults = []
    for signed_in in (False, True):
        pictures = [picture for picture in chosen if picture.signed_in == signed_in]
        if not pictures:
            continue
        context = chromium.new_context(browser, look, served.url)
        watch = traffic.Watch(context, served.url)
        if signed_in:
            cookies = served.server.sign_in(demonstration.ADMIN, demonstration.PASSWORD)
            for name, value in cookies.items():
                context.add_cookies([{"name": name, "value": value, "url": served.url}])
        page = context.new_page()
        for picture in pictures:
            path = picture.path.format(**names)
            answer = page.goto(path, wait_until="networkidle")
            status = answer.status if answer else 0
            if status != 200 or urlsplit(page.url).path != urlsplit(path).path:
                faults.append(f"{picture.name}-{look_name}: {path} answers {status} at {page.url}")
                continue
            page.screenshot(path=into / f"{picture.name}-{look_name}.png", animations="disabled")
        context.close()
        traffic.forget(context)
        faults += watch.faults
    return faults


if __name__ == "__main__":
    main()
