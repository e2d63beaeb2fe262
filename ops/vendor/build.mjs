// Writes postmaster/static/vendor from node_modules; ./refresh calls it.
// With --contrast it also lists every pair of colours and how well it can be read.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import * as sass from "sass";
import { contrasts } from "./contrast.mjs";

const here = new URL("./", import.meta.url);
const modules = new URL("node_modules/", here);
const target = new URL("../../postmaster/static/vendor/", here);

const ICONS = `
  activity arrow-counterclockwise arrow-right at box-arrow-right check-lg chevron-down
  clock-history copy download envelope envelope-at exclamation-triangle eye gear globe house
  info-circle journal-text key keyboard list lock pencil people person person-gear plus-lg
  question-circle search shield-lock sort-down sort-up translate trash unlock x-lg
`.trim().split(/\s+/);
const SHIPPED = ["bootstrap", "bootswatch", "bootstrap-icons", "htmx.org", "@fontsource/lato"];

const text = (path) => readFileSync(new URL(path, modules), "utf8");
const version = (name) => JSON.parse(text(`${name}/package.json`)).version;

/** An icon's drawing as a data URL, without what a mask does not need. */
function drawing(name) {
  const svg = text(`bootstrap-icons/icons/${name}.svg`)
    .replace(/ (?:width="16" height="16" fill="currentColor" class="[^"]*")/, "")
    .replace(/\s*\n\s*/g, "")
    .replaceAll('"', "'")
    .replaceAll("%", "%25").replaceAll("#", "%23")
    .replaceAll("<", "%3C").replaceAll(">", "%3E");
  return `.icon-${name}{--icon:url("data:image/svg+xml,${svg}")}`;
}

function style() {
  const { css } = sass.compile(new URL("panel.scss", here).pathname, {
    style: "compressed",
    charset: false,
    loadPaths: [modules.pathname],
    quietDeps: true,
    silenceDeprecations: ["import", "global-builtin", "color-functions", "if-function"],
  });
  const parts = SHIPPED.filter((name) => name !== "htmx.org");
  const origin = parts.map((name) => `${name} ${version(name)}`).join(", ");
  return `/*! Made from ${origin}. See LICENSES.txt. */\n${css}${ICONS.map(drawing).join("")}\n`;
}

function licences() {
  const parts = SHIPPED.map((name) => {
    const heading = `${name} ${version(name)}`;
    return `${heading}\n${"=".repeat(heading.length)}\n\n${text(`${name}/LICENSE`).trim()}\n`;
  });
  return parts.join("\n\n");
}

const panel = style();
const font = (weight) =>
  readFileSync(new URL(`@fontsource/lato/files/lato-latin-${weight}-normal.woff2`, modules));
const files = {
  "LICENSES.txt": [SHIPPED, licences()],
  "htmx.min.js": [["htmx.org"], readFileSync(new URL("htmx.org/dist/htmx.min.js", modules))],
  "lato-400.woff2": [["@fontsource/lato"], font(400)],
  "lato-700.woff2": [["@fontsource/lato"], font(700)],
  "panel.css": [["bootstrap", "bootswatch", "bootstrap-icons"], panel],
};

const found = contrasts(panel);
const faint = found.filter(({ ratio, needed }) => !(ratio >= needed)); // NaN too
for (const { mode, what, ratio, needed } of process.argv.includes("--contrast") ? found : faint) {
  console.log(`${ratio.toFixed(2)} of ${needed}  ${mode}: ${what}`);
}
if (faint.length) {
  console.error("These colours are too much alike to be read. Change panel.scss.");
  process.exit(1);
}

mkdirSync(target, { recursive: true });
for (const name of readdirSync(target)) rmSync(new URL(name, target));
const sources = {};
for (const [name, [packages, content]] of Object.entries(files)) {
  writeFileSync(new URL(name, target), content);
  const zipped = gzipSync(content, { level: 9 }).length;
  sources[name] = {
    packages: packages.map((one) => `${one}@${version(one)}`),
    sha256: createHash("sha256").update(content).digest("hex"),
  };
  console.log(`${name}: ${Buffer.byteLength(content)} bytes, ${zipped} compressed`);
}
writeFileSync(new URL("SOURCES.json", target), `${JSON.stringify(sources, null, 2)}\n`);
const least = Math.min(...found.map(({ ratio, needed }) => ratio / needed));
console.log(`${found.length} pairs of colours; the least has ${least.toFixed(2)} of what it needs.`);
