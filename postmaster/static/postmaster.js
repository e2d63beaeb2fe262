// What JavaScript adds to pages that work without it. Sentences come from the page.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const dialog = () => byId("dialog");

  // --- what only works with scripts -------------------------------------------

  function revealScripted(root) {
    allowSelection(root);
    for (const element of root.querySelectorAll("[data-scripted]")) element.hidden = false;
    for (const time of root.querySelectorAll("time[data-local]")) {
      const moment = new Date(time.dateTime);
      if (!Number.isNaN(moment.getTime())) {
        time.title = time.textContent;
        time.textContent = moment.toLocaleString(document.documentElement.lang, {
          dateStyle: "medium",
          timeStyle: "short",
        });
      }
      time.removeAttribute("data-local");
    }
    // Some browsers forget that a table is one where it is laid out as cards.
    const roles = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TH: "columnheader", TD: "cell" };
    for (const part of root.querySelectorAll("table.cards, table.cards *")) {
      if (roles[part.tagName]) part.setAttribute("role", roles[part.tagName]);
    }
  }

  // --- dialogs ------------------------------------------------------------------

  // The id of what opened a dialog or a form in a row: it gets the focus back.
  let opener = null;
  // What gets the focus after this request, whatever has it now: a selector.
  let wantedNext = null;

  document.addEventListener("htmx:beforeRequest", (event) => {
    const element = event.detail.elt;
    const target = event.detail.target?.id || "";
    wantedNext = null;
    if (target === "dialog" || (target.startsWith("edit-") && element.tagName === "A")) {
      opener = element.id || null;
    } else if (element.tagName === "FORM" && element.closest("dialog")) {
      wantedNext = "#messages button"; // what was asked about may be gone
    } else if (element.id === "add") {
      wantedNext = "#add [data-new]"; // one is seldom added alone
    }
  });

  function open(element) {
    if (element.open) return;
    if (element.id !== "dialog") opener = document.activeElement?.id || null;
    element.showModal();
  }

  function closeAll() {
    for (const element of document.querySelectorAll("dialog[open]")) element.close();
  }

  document.addEventListener("close", (event) => {
    if (event.target.id === "dialog") event.target.replaceChildren();
    if (opener && !byId(opener)?.closest("dialog")) byId(opener)?.focus();
  }, true);

  document.addEventListener("click", (event) => {
    const target = event.target;
    const closing = target.closest("[data-close]");
    const around = closing?.closest("dialog");
    if (around) {
      event.preventDefault();
      event.stopPropagation();
      around.close();
      return;
    }
    if (target.tagName === "DIALOG") target.close(); // the backdrop
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(target)) menu.open = false;
    }
    if (target.closest("#show-shortcuts")) open(byId("shortcuts"));
  }, true);

  // --- after htmx has put something in its place --------------------------------

  // A search as one types changes the address: who adds a row comes back to what is shown.
  function rememberAddress() {
    const form = byId("add");
    if (!form) return;
    const address = location.pathname + location.search;
    form.action = address;
    const back = form.querySelector("[name=back]");
    if (back) back.value = address;
  }

  // What to focus once the new content stands: never nothing.
  function keepFocus(target) {
    const next = wantedNext && !target.querySelector("[autofocus]") && document.querySelector(wantedNext);
    wantedNext = null;
    if (next) {
      opener = null;
      next.focus();
      return;
    }
    const focused = document.activeElement;
    if (focused && focused !== document.body && focused.isConnected) return;
    const wanted =
      target.querySelector("[autofocus]") ||
      (opener && byId(opener)) ||
      byId("messages").querySelector("button") ||
      (byId("messages").childElementCount ? byId("messages") : byId("main"));
    opener = null;
    wanted.focus({ preventScroll: wanted.id === "main" });
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    // The answer to what was asked in a dialog belongs to the page below it.
    if (event.detail.target.id !== "dialog" && event.detail.target.closest("dialog") === null) {
      closeAll();
    }
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    revealScripted(event.detail.target);
    if (event.detail.target.id === "dialog") {
      open(event.detail.target);
      (dialog().querySelector("[autofocus]") || dialog().querySelector("[data-close]"))?.focus();
    }
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    const target = event.detail.target;
    revealScripted(byId("messages"));
    if (target.id === "dialog" || target.closest("dialog")) return;
    rememberAddress();
    const path = location.pathname;
    for (const link of document.querySelectorAll("details.menu a")) {
      if (new URL(link.href).pathname === path) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    keepFocus(target);
  });

  // The server is away: the browser's own page would say so, and so do we.
  document.addEventListener("htmx:sendError", (event) => {
    const form = event.detail.elt.closest("form");
    if (form && form.method === "post") HTMLFormElement.prototype.submit.call(form);
    else location.reload();
  });

  // --- small things -------------------------------------------------------------

  // What was refused is being mended: the old refusal would contradict the new hint.
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches(".is-invalid")) return;
    field.classList.remove("is-invalid");
    field.removeAttribute("aria-invalid");
    byId(`${field.id}-error`)?.remove();
  });

  // Nothing can be done to no row.
  function allowSelection(root) {
    const form = root.getElementById ? root.getElementById("selected") : root.querySelector("#selected");
    const any = document.querySelector('input[form="selected"]:checked') !== null;
    for (const button of form?.querySelectorAll("button") || []) button.disabled = !any;
  }

  function setTicks(on) {
    for (const box of document.querySelectorAll('input[form="selected"]')) box.checked = on;
  }

  document.addEventListener("change", (event) => {
    const changed = event.target;
    if (changed.matches("[data-ticks-all]")) setTicks(changed.checked);
    if (changed.matches("[data-ticks-all], [form=selected]")) allowSelection(document);
    if (changed.matches("[data-submits]")) changed.form.requestSubmit();
    if (changed.id === "shortcuts-on") localStorage.setItem("shortcuts", changed.checked ? "on" : "off");
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.reveals) {
      const field = byId(button.dataset.reveals);
      field.type = field.type === "password" ? "text" : "password";
      button.setAttribute("aria-pressed", String(field.type === "text"));
    }
    if (button.dataset.fills) {
      const field = byId(button.dataset.fills);
      field.value = byId(button.dataset.from).textContent;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    }
    if (button.dataset.copies) {
      await copy(byId(button.dataset.copies));
      button.textContent = button.dataset.copied;
    }
  });

  // The clipboard is only there over https and on localhost.
  async function copy(element) {
    if (navigator.clipboard) return navigator.clipboard.writeText(element.textContent);
    const range = document.createRange();
    range.selectNodeContents(element);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    document.execCommand("copy");
  }

  // --- keyboard -----------------------------------------------------------------

  let afterG = false;

  function isTyping(element) {
    return element.matches("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
  }

  function leave(event) {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    const cancel = event.target.closest('td[id^="edit-"], li[id^="edit-"]')?.querySelector("a[data-close]");
    if (cancel) {
      event.preventDefault();
      cancel.click();
    }
  }

  const goTo = (key) => document.querySelector(`details.menu a[data-key="${CSS.escape(key)}"]`)?.click();

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return leave(event);
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (localStorage.getItem("shortcuts") === "off" || document.querySelector("dialog[open]")) return;
    if (afterG) {
      afterG = false;
      return goTo(event.key);
    }
    afterG = event.key === "g";
    const wanted = { "/": "#search", n: "[data-new]" }[event.key];
    if (wanted && document.querySelector(wanted)) {
      event.preventDefault();
      document.querySelector(wanted).focus();
    }
    if (event.key === "?" && byId("shortcuts")) open(byId("shortcuts"));
  });

  // --- at the start -------------------------------------------------------------

  revealScripted(document);
  const shortcutsOn = byId("shortcuts-on");
  if (shortcutsOn) shortcutsOn.checked = localStorage.getItem("shortcuts") !== "off";
})();
