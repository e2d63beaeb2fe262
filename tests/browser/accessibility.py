"""axe's judgement of a page."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SOURCE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

_RUN = """
(tags) => axe.run(document, {
  runOnly: {type: "tag", values: tags},
  rules: {"target-size": {enabled: true}},
  resultTypes: ["violations"],
})
"""


@cache
def _source() -> str:
    if not SOURCE.exists():
        raise RuntimeError("axe-core is not installed: start the tests with ops/test")
    return SOURCE.read_text(encoding="utf-8")


def axe(page: Page) -> list[str]:
    """Each violation in words, none if the page is fine: ``assert axe(page) == []``.

    Only with JavaScript: without it axe's timers never end, and the test would wait for good.
    """
    # Evaluated and not put in by a script element, which the page's policy would refuse.
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_source())
    found: dict[str, Any] = page.evaluate(_RUN, TAGS)
    return [
        f"{page.url}: {violation['id']}: {violation['help']}: "
        f"{' '.join(map(str, node['target']))}: {node['html']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
