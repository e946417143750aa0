/**
 * Brings edits to the server, and loses none. Pure: what it sends with, keeps in and waits by is given to it.
 *
 * Every gesture becomes one sealed batch with an id made here, kept in the browser until the server has acknowledged it.
 * The server applies a batch once however often it arrives, so a batch is sent again whenever the answer was lost
 * – after an interruption, after a reload, even from two tabs at once.
 *
 * A batch: {id, revision, edits, before, made}; `before` holds for each edit the box (or null) that it met, `revision` is the
 * last one acknowledged when it was made, `made` orders batches of several visits.
 */

import { applyEdit, sameBox, stateOf, targetOf } from "./document.js";

/** The server takes no larger batch. */
const EDITS_AT_ONCE = 500;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30000;

/** What an answer means for the batch that was sent. */
function verdict(error) {
  if (error.status === 409 && error.data?.current) return "stale";
  if ([400, 409, 413, 422].includes(error.status)) return "refused";
  if (error.status === 404) return "gone";
  // No network, server down, logged out, too many requests: none of these is about the edit itself.
  return "later";
}

/**
 * @param options.store the store whose local changes are to be saved
 * @param options.document the document that the store was made from
 * @param options.send (batch) → Promise of a document; rejects with {status, message, data}
 * @param options.reload () → Promise of the current document
 * @param options.keep {put(batch), remove(id)}: where unsent batches survive the page
 * @param options.newId () → uuid
 * @param options.pause (milliseconds) → Promise, ended early by `retryNow`
 * @param options.username author of what is edited here
 * @param options.onStatus ({state: saved | saving | retrying | gone, unsent, message})
 * @param options.onConflict (edits) edits given up because somebody else had changed the same box
 * @param options.onRefused (message, edits) edits that the server will not take
 */
export function createOutbox(options) {
  const { store, send, reload, keep, newId, pause, username, onStatus, onConflict, onRefused } = options;
  const batches = [];
  let revision = options.document.revision;
  let running = null;
  let status = { state: "saved", unsent: 0, message: "" };

  const unsentEdits = () => batches.flatMap((batch) => batch.edits);

  function report(state, message = "") {
    status = { state, unsent: batches.length, message };
    onStatus(status);
  }

  store.subscribe((change) => {
    if (change.origin !== "local") return;
    for (let start = 0; start < change.edits.length; start += EDITS_AT_ONCE) seal(change, start);
    deliver();
  });

  function seal(change, start) {
    const edits = change.edits.slice(start, start + EDITS_AT_ONCE);
    const before = edits.map((edit, i) => change.before[start + i].boxes.get(targetOf(edit)) ?? null);
    const batch = { id: newId(), revision, edits, before, made: Date.now() + batches.length / 1000 };
    batches.push(batch);
    keep.put(batch);
  }

  /** Send batch after batch until none is left; one delivery runs at a time. */
  function deliver() {
    running ??= deliverAll().finally(() => {
      running = null;
      if (batches.length && status.state !== "gone") deliver();
    });
    return running;
  }

  async function deliverAll() {
    let failures = 0;
    while (batches.length) {
      if (!failures) report("saving");
      const outcome = await deliverOne(batches[0]);
      if (outcome === "gone") return;
      failures = outcome === "later" ? failures + 1 : 0;
      if (failures) await pause(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)));
    }
    report("saved");
  }

  async function deliverOne(batch) {
    try {
      acknowledge(batch, await send({ id: batch.id, revision, edits: batch.edits }));
      return "sent";
    } catch (error) {
      const meaning = verdict(error);
      if (meaning === "stale") rebase(error.data.current);
      else if (meaning === "refused") await giveUp(batch, error.message);
      else report(meaning === "gone" ? "gone" : "retrying", error.message);
      return meaning;
    }
  }

  function acknowledge(batch, document) {
    drop(batch);
    // The server counts one revision per batch. If it is further on, this batch had arrived before and others have edited
    // since: what is still unsent must be held against their changes.
    if (document.revision > revision + 1) return rebase(document);
    revision = document.revision;
    return store.receive(document, unsentEdits());
  }

  function drop(batch) {
    batches.splice(batches.indexOf(batch), 1);
    keep.remove(batch.id);
  }

  /** Put the unsent edits on top of a newer document; where both touched the same box, the server's stays. */
  function rebase(document) {
    const lost = [];
    let state = stateOf(document);
    for (const batch of [...batches]) {
      const kept = batch.edits.map((edit, i) => {
        const after = applyEdit(state, edit, username);
        if (!fits(state, edit, batch.before[i])) {
          // What is already so on the server needs no sending and is no conflict.
          if (!sameOutcome(state, after, edit)) lost.push(edit);
          return false;
        }
        state = after;
        return true;
      });
      shrink(batch, kept);
    }
    revision = document.revision;
    store.receive(document, unsentEdits());
    if (lost.length) onConflict(lost);
  }

  function shrink(batch, kept) {
    if (kept.every(Boolean)) return;
    batch.edits = batch.edits.filter((_, i) => kept[i]);
    batch.before = batch.before.filter((_, i) => kept[i]);
    if (batch.edits.length) keep.put(batch);
    else drop(batch);
  }

  async function giveUp(batch, message) {
    drop(batch);
    onRefused(message, batch.edits);
    try {
      rebase(await reload());
    } catch {
      // Without the network the page keeps what it shows; the next acknowledged batch brings the true document.
    }
  }

  /**
   * Take up batches that an earlier visit could not send. The first goes out with the revision that it was made on: if it
   * did arrive then, the server recognises it; if others have edited since, the answer is 409 and it is rebased.
   */
  function resume(kept, document) {
    if (!kept.length) return Promise.resolve();
    batches.push(...kept.sort((a, b) => a.made - b.made));
    revision = batches[0].revision;
    store.receive(document, unsentEdits());
    return deliver();
  }

  return {
    resume,
    /** Take over a newer document of the server, unless unsent edits are about to bring one anyway. */
    receive(document) {
      if (batches.length || document.revision < revision) return;
      revision = document.revision;
      store.receive(document);
    },
    unsent: () => batches.length,
    revision: () => revision,
    status: () => status,
    /** Resolves when everything is sent (or given up). */
    settled: () => running ?? Promise.resolve(),
  };
}

/** Whether an edit still meets what it was made on. */
function fits(state, edit, before) {
  const id = targetOf(edit);
  if (id) return sameBox(state.boxes.get(id) ?? null, before);
  return !edit.value || ![...state.boxes.values()].some((box) => box.state === "confirmed");
}

function sameOutcome(state, after, edit) {
  const id = targetOf(edit);
  return id ? sameBox(state.boxes.get(id), after.boxes.get(id)) : state.nothing === after.nothing;
}
