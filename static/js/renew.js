/** Loading a page again when what it shows has changed, unless somebody is at work on it. */

import { toast } from "./toast.js";

/** A notice that waits until somebody looks: a day, in seconds. */
const LONG = 24 * 60 * 60;
let isTouched = false;

document.addEventListener("input", (event) => (isTouched ||= event.isTrusted), { capture: true });

/** Load the page again with `load`; where something was typed or chosen in it, or a dialog is open, offer that with `text`. */
export function renew(text, load = () => location.reload()) {
  if (!isTouched && !document.querySelector("dialog[open]")) load();
  else toast(text, { action: { text: gettext("Show it"), run: load }, seconds: LONG });
}
