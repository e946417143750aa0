/** Dialogs: opening and closing those of the templates, and building ones of our own. */

import { element, icon } from "./dom.js";

/**
 * An opening of a dialog that takes a while: what is called meanwhile is the same one.
 *
 * @param {(...args) => Promise} open
 */
export function oneAtATime(open) {
  let opening = null;
  return (...given) => (opening ??= open(...given).finally(() => (opening = null)));
}

/** Let the Escape key ask, with `mayLose`, before it closes a dialog in which something was typed or chosen. */
function askOnEscape(dialog, mayLose) {
  let isChanged = false;
  const ask = oneAtATime(async () => (await mayLose()) && dialog.close());
  const hold = (event) => {
    // Browsers let no page hold a dialog open for ever: then there is nothing to ask.
    if (!isChanged || !event.cancelable) return;
    event.preventDefault();
    ask();
  };
  dialog.addEventListener("input", (event) => (isChanged ||= event.isTrusted));
  dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.target.closest("dialog") === dialog && hold(event));
  dialog.addEventListener("cancel", (event) => event.target === dialog && hold(event));
}

/** Notices live inside the open dialog, to be seen; they outlive it. */
function keepNotices(dialog) {
  dialog.addEventListener("close", () => {
    const toasts = dialog.querySelector(".toasts");
    if (toasts) document.body.append(toasts);
  });
}

/** A click beside the box closes a dialog, unless its work would be lost (`data-keep`). */
function closeOnBackdrop(dialog) {
  dialog.addEventListener("pointerdown", (event) => {
    if (event.target === dialog && !("keep" in dialog.dataset)) dialog.close();
  });
}

/** Let `[data-open="id"]` open and `[data-close]` close the dialogs that the page came with. */
export function wireDialogs(root = document) {
  root.querySelectorAll("dialog").forEach((dialog) => {
    closeOnBackdrop(dialog);
    keepNotices(dialog);
  });
  root.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open)?.showModal();
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
  });
}

/**
 * Build and show a dialog; it leaves the page when it is closed.
 *
 * @param {{title: string, content: Node[], actions?: Node[], kind?: string, mayLose?: () => Promise<boolean>}} options
 *   `kind` adds the class `dialog-<kind>` (e.g. "side"). Where there is work to be lost, `mayLose` asks the person: then a click
 *   beside it does not close it, and Escape only where nothing was changed or the answer is yes.
 * @returns {HTMLDialogElement}
 */
export function showDialog({ title, content, actions = [], kind, mayLose = null }) {
  const id = `dialog-${crypto.randomUUID?.() ?? Math.random().toString(36).slice(2)}`;
  const close = element("button", { type: "button", class: "icon-button", "data-close": true, "aria-label": gettext("Close") }, icon("close"));
  // The dialog stands outside of <main>, where a header would be the page's banner and a footer its colophon.
  const dialog = element(
    "dialog",
    { class: `dialog${kind ? ` dialog-${kind}` : ""}`, "aria-labelledby": id, "data-keep": Boolean(mayLose) },
    element("div", { class: "dialog-head" }, element("h2", { id }, title), close),
    element("div", { class: "dialog-body" }, ...content),
    actions.length ? element("div", { class: "dialog-foot" }, ...actions) : null,
  );
  closeOnBackdrop(dialog);
  if (mayLose) askOnEscape(dialog, mayLose);
  close.addEventListener("click", () => dialog.close());
  keepNotices(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
