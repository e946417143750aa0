/** What the history of an artwork says, in words. Pure: no DOM. */

/** Gestures of one person that follow each other within this time, in milliseconds, are one entry. */
const TOGETHER = 5 * 60 * 1000;

/**
 * Changes as the API lists them (the newest first) as entries: what one person did at a stretch becomes one, with its
 * counts added up and the newest revision and time of them.
 */
export function entriesOf(changes) {
  const entries = [];
  for (const change of changes) {
    const last = entries.at(-1);
    if (last && follows(change, last)) {
      last.counts = sum(last.counts, change.counts);
      last.since = change.time;
      last.nothing_to_mark ??= change.nothing_to_mark;
    } else entries.push({ ...change, since: change.time });
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

/** What was done, as a line. */
export function whatOf(entry) {
  const parts = Object.entries(entry.counts).filter(([, n]) => n > 0).map(([deed, n]) => deedText(deed, n));
  if (entry.nothing_to_mark === true) parts.push(gettext("marked that there is nothing"));
  if (entry.nothing_to_mark === false) parts.push(gettext("took back that there is nothing"));
  if (entry.kind === "restore") parts.unshift(gettext("brought an earlier state back"));
  if (entry.concept) parts.unshift(interpolate(gettext("deleted the concept “%s”"), [entry.concept]));
  return parts.join(", ") || gettext("no visible change");
}

function deedText(deed, n) {
  const texts = {
    drawn: ngettext("%s box drawn", "%s boxes drawn", n),
    moved: ngettext("%s moved", "%s moved", n),
    resized: ngettext("%s resized", "%s resized", n),
    relabelled: ngettext("%s relabelled", "%s relabelled", n),
    deleted: ngettext("%s deleted", "%s deleted", n),
    accepted: ngettext("%s accepted", "%s accepted", n),
    rejected: ngettext("%s rejected", "%s rejected", n),
    suggested: ngettext("%s suggested", "%s suggested", n),
    withdrawn: ngettext("%s withdrawn", "%s withdrawn", n),
  };
  return interpolate(texts[deed] ?? "%s", [n]);
}
