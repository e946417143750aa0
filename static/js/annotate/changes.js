/** What the history of an artwork says, in words. Pure: no DOM. */

import { sameBox, stateOf } from "./document.js";

/** Gestures of one person that follow each other within this time, in milliseconds, are one entry. */
const TOGETHER = 5 * 60 * 1000;

/**
 * Changes as the API lists them (the newest first) as entries: what one person did at a stretch becomes one, with its
 * counts added up, the newest revision and time of them, the oldest time as `since`, and the changes themselves as `steps`.
 */
export function entriesOf(changes) {
  const entries = [];
  for (const change of changes) {
    const last = entries.at(-1);
    if (last && follows(change, last)) {
      last.counts = sum(last.counts, change.counts);
      last.since = change.time;
      last.nothing_to_mark ??= change.nothing_to_mark;
      last.steps.push(change);
    } else entries.push({ ...change, since: change.time, steps: [change] });
  }
  return entries;
}

function follows(change, last) {
  const same = change.kind === "edit" && last.kind === "edit" && change.author === last.author && change.known === last.known;
  return same && new Date(last.since) - new Date(change.time) <= TOGETHER;
}

function sum(first, second) {
  return Object.fromEntries(Object.keys(first).map((deed) => [deed, first[deed] + second[deed]]));
}

/** Who did it. */
export function whoOf({ author, detector_name: detector }) {
  return author ?? (detector || gettext("The installation"));
}

/**
 * What was done, as a line.
 *
 * @param entry a change or an entry
 * @param when (time as ISO text) → the same as people read it
 */
export function whatOf(entry, when = String) {
  if (entry.kind === "restore") return restoredText(entry, when);
  const parts = Object.entries(entry.counts).filter(([, n]) => n > 0).map(([deed, n]) => deedText(entry.kind === "import" ? "imported" : deed, n));
  if (entry.nothing_to_mark === true) parts.push(gettext("marked that there is nothing"));
  if (entry.nothing_to_mark === false && !parts.length) parts.push(gettext("took back that there is nothing"));
  if (entry.concept) parts.unshift(interpolate(gettext("deleted the concept “%s”"), [entry.concept]));
  return parts.join(", ") || gettext("no visible change");
}

function restoredText({ restored, restored_time: time }, when) {
  if (restored === 0) return gettext("brought back the state before the first change");
  return time ? interpolate(gettext("brought back the state of %s"), [when(time)]) : gettext("brought an earlier state back");
}

function deedText(deed, n) {
  const texts = {
    drawn: ngettext("%s box drawn", "%s boxes drawn", n),
    imported: ngettext("%s box imported", "%s boxes imported", n),
    moved: ngettext("%s box moved", "%s boxes moved", n),
    resized: ngettext("%s box resized", "%s boxes resized", n),
    relabelled: ngettext("%s box given another concept", "%s boxes given another concept", n),
    deleted: ngettext("%s box deleted", "%s boxes deleted", n),
    accepted: ngettext("%s suggestion accepted", "%s suggestions accepted", n),
    rejected: ngettext("%s suggestion rejected", "%s suggestions rejected", n),
    suggested: ngettext("%s box suggested", "%s boxes suggested", n),
    withdrawn: ngettext("%s suggestion withdrawn", "%s suggestions withdrawn", n),
  };
  return interpolate(texts[deed] ?? "%s", [n]);
}

/**
 * How an earlier state differs from now, as numbers of boxes: `gone` are not there any more, `lost` of these cannot come
 * back since their concepts are deleted, `later` were not there yet, `other` were different.
 *
 * @param now state of a Store
 * @param past document of an earlier revision
 */
export function differenceOf(now, past) {
  const then = stateOf(past).boxes;
  const count = (boxes, test) => [...boxes.values()].filter(test).length;
  return {
    gone: count(then, ({ id }) => !now.boxes.has(id)),
    lost: past.gone_labels.reduce((total, { boxes }) => total + boxes, 0),
    later: count(now.boxes, ({ id }) => !then.has(id)),
    other: count(then, (box) => now.boxes.has(box.id) && !sameBox(box, now.boxes.get(box.id))),
    nothing: now.nothing !== past.nothing_to_mark,
  };
}

/** That difference as a line. */
export function differenceText({ gone, lost, later, other, nothing }) {
  const say = (text, n) => n > 0 && interpolate(text, [n]);
  const parts = [
    say(ngettext("%s box that is gone now", "%s boxes that are gone now", gone), gone),
    say(ngettext("%s box was not there yet", "%s boxes were not there yet", later), later),
    say(ngettext("%s box was different", "%s boxes were different", other), other),
    say(ngettext("%s box cannot come back: its concept is deleted", "%s boxes cannot come back: their concepts are deleted", lost), lost),
  ].filter(Boolean);
  if (parts.length) return parts.join(" · ");
  return nothing ? gettext("Only whether there is nothing to mark was different.") : gettext("Just as it is now.");
}
