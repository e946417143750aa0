/** Marks for an AP50 that rests on simulated photographs of what was learnt from (training/pipeline/simulated.py). */

import { counted, element } from "./dom.js";

/** What it means that `n` concepts were tested so. */
export function simulatedMeaning(n) {
  const text = ngettext(
    "%(n)s of its concepts was tested on simulated photographs of what it learnt from. They tell how well the same thing is known again, not how well others of its kind are found.",
    "%(n)s of its concepts were tested on simulated photographs of what they learnt from. They tell how well the same thing is known again, not how well others of its kind are found.",
    n,
  );
  return counted(text, n);
}

/** In a word, where `n` of `total` concepts were; "" for none, and for detectors of earlier versions. */
export function simulatedWord(n, total) {
  if (!n) return "";
  return n < total ? gettext("partly simulated") : gettext("simulated");
}

/** The mark beside an AP50, as templates/training/parts/simulated.html has it; null for none. */
export function simulatedMark(n, total) {
  return n ? element("span", { class: "chip chip-plain", title: simulatedMeaning(n) }, simulatedWord(n, total)) : null;
}
