/** A notice for the next page: what was done here, and the address that undoes it. */

import { api } from "./api.js";
import { inParallel } from "./parallel.js";
import { toast } from "./toast.js";

const KEY = "webnet-notice";

/**
 * Go to another page (or load this one again) and show a notice there.
 *
 * @param {string} url
 * @param {string} text
 * @param {{undo?: string[], page?: string}} options addresses to POST to for undoing it, and where to go after that
 */
export function leaveWithNotice(url, text, { undo = [], page = "" } = {}) {
  sessionStorage.setItem(KEY, JSON.stringify({ text, undo, page }));
  if (new URL(url, location.href).href === location.href) location.reload();
  else location.assign(url);
}

async function restore({ undo, page }) {
  try {
    await inParallel(undo, 3, (url) => api("POST", url, { json: {} }));
    location.assign(page || location.href);
  } catch (error) {
    toast(error.message, { kind: "error" });
  }
}

/** Show what the page before left. */
export function takeNotice() {
  const kept = sessionStorage.getItem(KEY);
  if (!kept) return;
  sessionStorage.removeItem(KEY);
  const notice = JSON.parse(kept);
  toast(notice.text, { kind: "ok", undo: notice.undo.length ? () => restore(notice) : undefined });
}
