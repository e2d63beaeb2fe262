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
# Those of the same rules that look at colours, and no others.
_RUN_ON_COLOURS = """
(tags) => axe.run(document, {
  runOnly: {
    type: "rule",
    values: axe.getRules(["cat.color"])
      .filter((rule) => rule.tags.some((tag) => tags.includes(tag)))
      .map((rule) => rule.ruleId),
  },
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
    return _run(page, _RUN)


def axe_on_colours(page: Page) -> list[str]:
    """The same of the colours alone, for a page that axe has seen in others."""
    return _run(page, _RUN_ON_COLOURS)


def _run(page: Page, script: str) -> list[str]:
    # Evaluated and not put in by a script element, which the page's policy would refuse.
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_source())
    found: dict[str, Any] = page.evaluate(script, TAGS)
    return [
        f"{page.url}: {violation['id']}: {violation['help']}: "
        f"{' '.join(map(str, node['target']))}: {node['html']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
