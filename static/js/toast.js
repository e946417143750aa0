/** Short notices at the lower edge of the page, read out by screen readers, with a way back where there is one. */

import { element } from "./dom.js";

function region() {
  const found = document.querySelector(".toasts");
  if (found) return found;
  const made = element("div", { class: "toasts", role: "region", "aria-label": gettext("Notices") });
  document.body.append(made);
  return made;
}

/** A dialog lies above everything else: a notice must be inside it to be seen. */
function place(notice) {
  const dialog = [...document.querySelectorAll("dialog[open]")].at(-1);
  const toasts = region();
  (dialog ?? document.body).append(toasts);
  toasts.append(notice);
}

function startTimer(notice, seconds) {
  let timer = null;
  const stop = () => clearTimeout(timer);
  const start = () => {
    stop();
    timer = setTimeout(() => notice.remove(), seconds * 1000);
  };
  // Nobody should lose an "Undo" while reaching for it.
  notice.addEventListener("pointerenter", stop);
  notice.addEventListener("focusin", stop);
  notice.addEventListener("pointerleave", start);
  notice.addEventListener("focusout", start);
  start();
}

/**
 * Show a notice.
 *
 * @param {string} text
 * @param {{kind?: "info"|"ok"|"error", undo?: () => (void|Promise<void>), action?: {text: string, run: () => void}, seconds?: number}}
 *   options `action` adds a button, `undo` one of that name; `seconds` (6, or 12 with undo) is how long it stays.
 */
export function toast(text, { kind = "info", undo, action = undo && { text: gettext("Undo"), run: undo }, seconds = undo ? 12 : 6 } = {}) {
  const notice = element("div", { class: `toast toast-${kind}`, role: kind === "error" ? "alert" : "status" });
  notice.append(element("p", {}, text));
  if (action) {
    const button = element("button", { type: "button", class: "button button-quiet" }, action.text);
    button.addEventListener("click", () => {
      notice.remove();
      action.run();
    });
    notice.append(button);
  }
  const close = element("button", { type: "button", class: "toast-close", "aria-label": gettext("Close") }, "×");
  close.addEventListener("click", () => notice.remove());
  notice.append(close);
  place(notice);
  startTimer(notice, seconds);
}
