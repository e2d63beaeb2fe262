"""What Apache does for the panel: static files, https, a path, a proxy in front."""

import json
import re

from tests.install import guide
from tests.install.installation import CONFIGURATION, PAGE, SITE, commands
from tests.install.panel import NEW_PASSWORD, Panel, signed_in
from tests.install.tree import Tree

WSGI = "pgrep -f '[(]wsgi:postmaster[)]'"
SITE_OF_ANOTHER = "/etc/apache2/sites-available/another.conf"
LOG = "/opt/postmaster/logs/postmaster.log"


def check_static_files(tree: Tree) -> None:
    """They come from Apache alone, and browsers keep those whose address has their hash."""
    panel = Panel()
    paths = panel.static_paths()
    assert len(paths) > 3
    tree.run(f"kill -STOP $({WSGI})")
    try:
        for path in paths:
            answer = panel.ask("GET", path)
            assert answer.status_code == 200, path
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        unmarked = panel.ask("GET", paths[0].partition("?")[0])
        assert "immutable" not in unmarked.headers.get("Cache-Control", "")
        font = panel.ask("GET", "/static/vendor/lato-400.woff2")
        assert font.headers["Cache-Control"] == "public, max-age=604800"
        style = next(path for path in paths if ".css" in path)
        assert panel.ask("GET", style).headers["Content-Encoding"] == "gzip"
        assert panel.ask("GET", "/static/").status_code == 403, "the folder is listed"
    finally:
        tree.run(f"kill -CONT $({WSGI})")


def check_https(tree: Tree) -> None:
    """The commented part of the site is right when it is uncommented."""
    tree.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
        " -addext subjectAltName=IP:127.0.0.1"
        " -keyout /etc/ssl/private/postmaster.key -out /etc/ssl/certs/postmaster.pem;"
        f" cp {SITE} {SITE}.before; sed -i 's/^    #SSL/    SSL/' {SITE}"
    )
    commands(tree, "https", "https")
    certificate = str(tree.root / "etc/ssl/certs/postmaster.pem")
    panel = Panel("https://127.0.0.1:8082", certificate).wait()
    assert "Secure" in panel.sign_in(NEW_PASSWORD).headers["Set-Cookie"]
    tree.run(f"mv {SITE}.before {SITE}; service apache2 restart")


def check_a_path(tree: Tree) -> None:
    """Below a path of another site, with the page's lines in it."""
    (lines,) = guide.under(PAGE, "Under a path", "apache", "path")
    site = (tree.root / SITE.lstrip("/")).read_text(encoding="utf-8")
    folders = "".join(re.findall(r"^    <Directory.*?^    </Directory>\n", site, re.M | re.S))
    serve_another_site(tree, lines + folders)
    tree.run("a2dissite postmaster; service apache2 restart")
    panel = signed_in("http://127.0.0.1/postmaster")
    check_links_below_the_path(panel)
    tree.run("a2dissite another; a2ensite postmaster; service apache2 restart")


def check_a_proxy(tree: Tree) -> None:
    """Behind a proxy that takes a path off; the log has the client's address, not the proxy's."""
    (lines,) = guide.under(PAGE, "Behind a proxy", "apache", "proxy")
    (listed,) = guide.under(PAGE, "Behind a proxy", "toml")
    serve_another_site(tree, lines)
    tree.run(f"cat >> {CONFIGURATION}; a2enmod proxy_http; service apache2 restart", text=listed)
    panel = signed_in("http://127.0.0.1/postmaster", address="127.0.0.2")
    check_links_below_the_path(panel)
    panel.turn_on("Login Auditing")
    signed_in("http://127.0.0.1/postmaster", address="127.0.0.3")
    newest = tree.run(f"tail -n 1 {LOG}")
    assert json.loads(newest)["ip"] == "127.0.0.3", newest
    tree.run("a2dissite another; service apache2 restart")


def serve_another_site(tree: Tree, lines: str) -> None:
    """Put lines of the page into a site on port 80, which is enabled at the next restart."""
    tree.write(SITE_OF_ANOTHER, f"<VirtualHost *:80>\n{lines}</VirtualHost>\n")
    tree.run("a2ensite another")


def check_links_below_the_path(panel: Panel) -> None:
    """Pages, the redirect after a sign-in, and static files have the path in front."""
    assert 'href="/postmaster/users"' in panel.ask("GET", "/").text
    assert panel.ask("GET", "/logout").headers["Location"].startswith("/postmaster/login")
    for path in panel.static_paths():
        assert path.startswith("/postmaster/static/")
        answer = panel.ask("GET", path.removeprefix("/postmaster"))
        assert answer.status_code == 200, path
        assert "immutable" in answer.headers["Cache-Control"]
    panel.sign_in(NEW_PASSWORD)
