// Which colours stand on which, in both modes, and whether they can be read: 4.5 to 1 for
// text and 3 to 1 for what is drawn, as WCAG 2 asks at level AA.

const TEXT = 4.5;
const DRAWN = 3;
const NAMES = ["primary", "secondary", "success", "info", "warning", "danger"];

/** Every declaration in the style sheet, as {media, selectors, name, value}, in order. */
function* declarations(css) {
  const media = [];
  const token = /\/\*[^]*?\*\/|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{};]/g;
  let start = 0;
  let selectors = null;
  for (const found of css.matchAll(token)) {
    const sign = found[0];
    if (sign.startsWith("/*")) start = found.index + sign.length;
    if (!"{};".includes(sign)) continue;
    const text = css.slice(start, found.index).trim();
    start = found.index + 1;
    if (sign === "{") {
      if (text.startsWith("@")) media.push(text);
      else selectors = text.split(",");
      continue;
    }
    const colon = text.indexOf(":");
    if (colon > 0 && selectors) {
      const value = text.slice(colon + 1).replace("!important", "").trim();
      yield { media: media.at(-1) ?? "", selectors, name: text.slice(0, colon).trim(), value };
    }
    if (sign === "}") {
      if (selectors) selectors = null;
      else media.pop();
    }
  }
}

function luminance([red, green, blue]) {
  const [r, g, b] = [red, green, blue].map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function over([r, g, b, alpha], below) {
  return [r, g, b].map((part, index) => part * alpha + below[index] * (1 - alpha));
}

function ratio(one, other) {
  const [dark, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

/** What the browser would take for a name, in one mode, at an element of these selectors. */
class Look {
  constructor(all, mode) {
    this.all = all.filter(({ media }) => media === "" || media === `@media(prefers-color-scheme: ${mode})`);
  }

  value(name, scopes) {
    for (const scope of [...scopes, ":root"]) {
      const found = this.all.findLast((one) => one.name === name && one.selectors.includes(scope));
      if (found) return this.resolve(found.value, scopes);
    }
    throw new Error(`Nothing sets ${name} for ${scopes.join(" ") || ":root"}.`);
  }

  resolve(value, scopes) {
    const used = /var\((--[\w-]+)(?:, ?([^()]+))?\)/;
    for (let found = value.match(used); found; found = value.match(used)) {
      let part = found[2];
      try {
        part = this.value(found[1], scopes);
      } catch (error) {
        if (part === undefined) throw error;
      }
      value = value.replace(found[0], part);
    }
    return value;
  }

  colour(name, scopes = []) {
    const value = this.value(name, scopes);
    const short = value.match(/^#(\w)(\w)(\w)$/);
    if (short) return short.slice(1).map((digit) => parseInt(digit + digit, 16)).concat(1);
    const hex = value.match(/^#(\w\w)(\w\w)(\w\w)$/);
    if (hex) return hex.slice(1).map((digits) => parseInt(digits, 16)).concat(1);
    const rgb = value.match(/^rgba?\(([^)]+)\)$/i);
    if (!rgb) throw new Error(`${name} is ${value}, which is no colour.`);
    const number = (part) => (part.endsWith("%") ? parseFloat(part) * 2.55 : Number(part));
    const [r, g, b, alpha = 1] = rgb[1].split(/[ ,]+/).map(number);
    return [r, g, b, alpha];
  }
}

/** [what, colour in front, colour behind, what is needed] for one mode. */
function* pairs(look) {
  const page = look.colour("--bs-body-bg");
  const opaque = (name, scopes, below = page) => over(look.colour(name, scopes), below);
  const behind = {
    "the page": page,
    "secondary-bg": opaque("--bs-secondary-bg"),
    "tertiary-bg": opaque("--bs-tertiary-bg"),
    "a striped row": opaque("--bs-table-striped-bg", [".table"]),
    "a row under the mouse": opaque("--bs-table-hover-bg", [".table"]),
  };
  const front = ["body-color", "emphasis-color", "secondary-color", "tertiary-color", "link-color"];
  front.push("link-hover-color", "code-color", "form-invalid-color");
  front.push(...NAMES.map((name) => `${name}-text-emphasis`));
  for (const name of front) {
    for (const [where, colour] of Object.entries(behind)) {
      yield [`${name} on ${where}`, opaque(`--bs-${name}`, [], colour), colour, TEXT];
    }
  }
  const filled = (what, scopes, prefix, states) =>
    states.map(([colour, background]) => {
      const below = opaque(`--bs-${prefix}-${background}`, scopes);
      return [`${what} ${colour}`, opaque(`--bs-${prefix}-${colour}`, scopes, below), below, TEXT];
    });
  const states = [["hover-color", "hover-bg"], ["active-color", "active-bg"]];
  for (const name of NAMES) {
    yield* filled(`.btn-${name}`, [`.btn-${name}`], "btn", [["color", "bg"], ...states]);
    yield* filled(`.btn-outline-${name}`, [`.btn-outline-${name}`], "btn", states);
    for (const [where, colour] of Object.entries(behind)) {
      const scopes = [`.btn-outline-${name}`];
      yield [`.btn-outline-${name} on ${where}`, opaque("--bs-btn-color", scopes), colour, TEXT];
    }
    yield* filled(`.alert-${name}`, [`.alert-${name}`], "alert", [["color", "bg"]]);
    const fill = opaque("background-color", [`.text-bg-${name}`]);
    yield [`.text-bg-${name}`, opaque("color", [`.text-bg-${name}`]), fill, TEXT];
    const subtle = opaque(`--bs-${name}-bg-subtle`);
    yield [`${name} on its subtle-bg`, opaque(`--bs-${name}-text-emphasis`), subtle, TEXT];
  }
  const pages = [["color", "bg"], ...states, ["disabled-color", "disabled-bg"]];
  yield* filled(".pagination", [".pagination"], "pagination", pages);
  yield* filled(".dropdown-menu", [".dropdown-menu"], "dropdown", [
    ["link-color", "bg"], ["link-hover-color", "link-hover-bg"],
    ["link-active-color", "link-active-bg"], ["header-color", "bg"],
  ]);
  yield* filled(".list-group", [".list-group"], "list-group", [
    ["color", "bg"], ["action-color", "bg"], ["action-hover-color", "action-hover-bg"],
    ["active-color", "active-bg"], ["disabled-color", "disabled-bg"],
  ]);
  const bar = opaque("background-color", [".navbar-dark"]);
  for (const name of ["color", "hover-color", "active-color", "brand-color", "brand-hover-color"]) {
    yield [`.navbar-dark ${name}`, opaque(`--bs-navbar-${name}`, [".navbar-dark"], bar), bar, TEXT];
  }
  yield [".navbar-dark focus", opaque("--panel-focus", [".navbar-dark"]), bar, DRAWN];
  for (const name of ["--panel-focus", "--panel-control-border"]) {
    for (const [where, colour] of Object.entries(behind)) {
      yield [`${name} on ${where}`, opaque(name), colour, DRAWN];
    }
  }
}

/** Every pair in both modes: {mode, what, ratio, needed}. */
export function contrasts(css) {
  const all = [...declarations(css)];
  return ["light", "dark"].flatMap((mode) =>
    [...pairs(new Look(all, mode))].map(([what, front, behind, needed]) => ({
      mode, what, needed, ratio: ratio(front, behind),
    })),
  );
}
