"""Where the keyboard's focus is, and whether a person sees it."""

from playwright.sync_api import Locator, Page

MOST_STOPS = 150

# An empty answer is fine. The unfocused look is that of a copy, since taking the focus
# away for a moment would close what closes by itself.
_FAULT = """
() => {
  const element = document.activeElement;
  if (!element || element === document.body || element === document.documentElement)
    return "nothing has the focus";
  const name = element.outerHTML.slice(0, 200);
  const box = element.getBoundingClientRect();
  if (!box.width || !box.height) return `what has the focus has no size: ${name}`;
  if (box.bottom <= 0 || box.right <= 0 || box.top >= innerHeight || box.left >= innerWidth)
    return `what has the focus is outside the window: ${name}`;
  const look = (of) => {
    const style = getComputedStyle(of);
    return {
      outline: style.outlineStyle === "none" || parseFloat(style.outlineWidth) === 0
        ? "none" : `${style.outlineStyle} ${style.outlineWidth} ${style.outlineColor}`,
      shadow: style.boxShadow,
    };
  };
  const focused = look(element);
  const copy = element.cloneNode(true);
  for (const attribute of ["id", "name", "autofocus"]) copy.removeAttribute(attribute);
  element.after(copy);
  const unfocused = look(copy);
  copy.remove();
  const outlined = focused.outline !== "none" && focused.outline !== unfocused.outline
    && !/(transparent|rgba\\([^)]*, 0\\))$/.test(focused.outline);
  const shadowed = focused.shadow !== "none" && focused.shadow !== unfocused.shadow;
  return outlined || shadowed ? "" : `the focus cannot be seen on ${name}`;
}
"""


def focus_is_visible(page: Page) -> bool:
    """Fail with a sentence unless something has the focus, and looks different for it."""
    fault = page.evaluate(_FAULT)
    assert not fault, f"{page.url}: {fault}"
    return True


def has_focus(locator: Locator) -> bool:
    """Whether this element has the focus."""
    return bool(locator.evaluate("(element) => element === document.activeElement"))


def tab_to(page: Page, locator: Locator, key: str = "Tab") -> None:
    """Press Tab until this element has the focus, which must be visible at every stop."""
    locator.wait_for()
    for _stop in range(MOST_STOPS):
        page.keyboard.press(key)
        if has_focus(locator):
            focus_is_visible(page)
            return
        # Past the last element the focus is the browser's own for one press.
        if page.evaluate("() => document.activeElement !== document.body"):
            focus_is_visible(page)
    raise AssertionError(f"{page.url}: {MOST_STOPS} times {key} do not lead to {locator}")
