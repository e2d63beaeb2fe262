"""Whether what is on a page fits into its window."""

from playwright.sync_api import Page

# The page itself, and boxes that scroll sideways inside of it. A text field may.
_FAULTS = """
() => {
  const root = document.scrollingElement;
  const name = (element) => element.outerHTML.slice(0, 120);
  const faults = [];
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.body.querySelectorAll("*")].filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width && box.right + scrollX > root.clientWidth + 0.5;
    });
    faults.push(`${root.scrollWidth} px wide in a window of ${root.clientWidth}: `
      + wide.slice(-5).map(name).join(" "));
  }
  for (const element of document.body.querySelectorAll("*"))
    if (!element.matches("input, textarea, select")
        && ["auto", "scroll"].includes(getComputedStyle(element).overflowX)
        && element.scrollWidth > element.clientWidth)
      faults.push(`${element.scrollWidth} px in a box of ${element.clientWidth}: ${name(element)}`);
  return faults;
}
"""


def no_sideways_scroll(page: Page) -> bool:
    """Fail with what is too wide, if the page or a box in it scrolls sideways."""
    faults = page.evaluate(_FAULTS)
    assert not faults, f"{page.url}: " + "; ".join(faults)
    return True
