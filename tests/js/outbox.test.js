import assert from "node:assert/strict";
import test from "node:test";

import { Outbox, isDisputed } from "../../static/js/annotate/outbox.js";
import { Store } from "../../static/js/annotate/store.js";
import { Server, box, suggestion } from "./fixtures.js";

let counter = 0;

/** A page open on the server's artwork; `kept` outlives it like the browser's storage. */
function open(server, kept = new Map()) {
  const document = server.document();
  const store = new Store(document, "ada");
  const page = { store, kept, statuses: [], conflicts: [], disputed: [], refused: [], pauses: [] };
  page.outbox = new Outbox(store, document, {
    send: server.send,
    reload: async () => server.document(),
    keep: { put: (batch) => kept.set(batch.id, structuredClone(batch)), remove: (id) => kept.delete(id) },
    newId: () => `batch-${(counter += 1)}`,
    pause: async (milliseconds) => page.pauses.push(milliseconds),
    username: "ada",
    onStatus: (status) => page.statuses.push(status.state),
    onConflict: (edits, disputed) => {
      page.conflicts.push(...edits);
      page.disputed.push(...disputed);
    },
    onRefused: (message, edits) => page.refused.push(message, ...edits),
  });
  page.resumed = page.outbox.resume([...kept.values()], document);
  return page;
}

const create = (id) => ({ op: "create", id, label: 1, x: 1, y: 2, width: 30, height: 40 });
const ids = (boxes) => [...boxes].map(({ id }) => id).sort();

test("each gesture is sent, acknowledged and forgotten", async () => {
  const server = new Server();
  const page = open(server);
  page.store.apply([create("a")]);
  page.store.apply([create("b")]);
  assert.equal(page.kept.size, 2);
  await page.outbox.settled();
  assert.deepEqual(ids(server.document().boxes), ["a", "b"]);
  assert.equal(page.kept.size, 0);
  assert.equal(page.statuses.at(-1), "saved");
});

test("what could not be sent is tried again with growing pauses, and arrives once", async () => {
  const server = new Server();
  server.failures = ["before", 503, "after", 403];
  const page = open(server);
  page.store.apply([create("a")]);
  await page.outbox.settled();
  assert.deepEqual(page.pauses, [1000, 2000, 4000, 8000]);
  assert.ok(page.statuses.includes("retrying"));
  assert.deepEqual(server.applied, [create("a")]);
  assert.deepEqual(ids(page.store.boxes()), ["a"]);
});

test("a gesture larger than the server takes at once is sent in parts", async () => {
  const server = new Server(Array.from({ length: 1201 }, (_, i) => suggestion(`s${i}`)));
  const page = open(server);
  page.store.apply(page.store.boxes().map(({ id }) => ({ op: "accept", id })));
  await page.outbox.settled();
  assert.deepEqual([...server.seen.values()].map((edits) => edits.length), [500, 500, 201]);
});

test("edits of different boxes are merged", async () => {
  const server = new Server([box("a"), box("b")]);
  const page = open(server);
  server.change([{ op: "update", id: "a", x: 77 }]);
  page.store.apply([{ op: "update", id: "b", x: 55 }]);
  await page.outbox.settled();
  assert.deepEqual(page.conflicts, []);
  assert.deepEqual(server.document().boxes.map(({ x }) => x), [77, 55]);
  assert.deepEqual(page.store.boxes().map(({ x }) => x), [77, 55]);
});

test("where both changed the same box the server's stays, and the person is told", async () => {
  const server = new Server([box("a")]);
  const page = open(server);
  server.change([{ op: "update", id: "a", x: 77 }]);
  page.store.apply([{ op: "update", id: "a", x: 55 }, create("c")]);
  await page.outbox.settled();
  assert.deepEqual(page.conflicts, [{ op: "update", id: "a", x: 55 }]);
  const [{ id, mine, theirs }] = page.disputed;
  assert.deepEqual([id, mine.x, theirs.x], ["a", 55, page.store.box("a").x]);
  assert.equal(page.store.box("a").x, 77);
  assert.deepEqual(ids(server.document().boxes), ["a", "c"]);
});

test("both deleting or accepting the same box is no conflict", async () => {
  const server = new Server([box("a"), suggestion("s")]);
  const page = open(server);
  const edits = [{ op: "delete", id: "a" }, { op: "accept", id: "s" }];
  server.change(edits);
  page.store.apply(edits);
  await page.outbox.settled();
  assert.deepEqual(page.conflicts, []);
  assert.equal(page.kept.size, 0);
});

test("several edits of one box made while the server moved on are no conflict with each other", async () => {
  const server = new Server([box("a"), box("b")]);
  const page = open(server);
  server.change([{ op: "delete", id: "b" }]);
  page.store.apply([{ op: "update", id: "a", x: 20 }]);
  page.store.apply([{ op: "update", id: "a", x: 30 }]);
  page.store.apply([{ op: "delete", id: "a" }]);
  await page.outbox.settled();
  assert.deepEqual(page.conflicts, []);
  assert.deepEqual(server.document().boxes, []);
});

test("edits that a closed page could not send are sent by the next visit", async () => {
  const server = new Server();
  const kept = new Map();
  const first = open(server, kept);
  first.store.apply([create("a")]);
  const unsent = new Map(structuredClone([...kept]));
  await first.outbox.settled();
  // As if the page had been killed before the answer came: the server has applied it, the browser does not know.
  server.change([create("other")]);
  const second = open(server, unsent);
  await second.resumed;
  assert.deepEqual(server.applied, [create("a")]);
  assert.deepEqual(second.conflicts, []);
  assert.deepEqual(ids(second.store.boxes()), ["a", "other"]);
  assert.equal(unsent.size, 0);
});

test("an edit is held against what others did between the lost answer to the one before it and its repetition", async () => {
  const server = new Server([box("a")]);
  const page = open(server);
  server.failures = ["after"];
  server.meanwhile = () => server.change([{ op: "update", id: "a", x: 99 }]);
  page.store.apply([create("mine")]);
  page.store.apply([{ op: "update", id: "a", x: 50 }]);
  await page.outbox.settled();
  assert.equal(server.document().boxes.find(({ id }) => id === "a").x, 99);
  assert.equal(page.conflicts.length, 1);
  assert.deepEqual(ids(page.store.boxes()), ["a", "mine"]);
});

test("kept edits that never arrived are merged with what others did since", async () => {
  const server = new Server([box("a"), box("b")]);
  const edits = [{ op: "update", id: "a", x: 50 }, { op: "update", id: "b", x: 50 }];
  const kept = new Map([["k", { id: "k", revision: 0, edits, before: [box("a"), box("b")], made: 1 }]]);
  server.change([{ op: "update", id: "b", x: 99 }]);
  const page = open(server, kept);
  await page.resumed;
  assert.deepEqual(page.conflicts, [edits[1]]);
  assert.deepEqual(page.store.boxes().map(({ x }) => x), [50, 99]);
});

test("an edit that the server refuses is taken back, and the ones after it are still sent", async () => {
  const server = new Server([box("a")]);
  server.failures = [400];
  const page = open(server);
  page.store.apply([create("bad")]);
  page.store.apply([{ op: "update", id: "a", x: 50 }]);
  await page.outbox.settled();
  assert.deepEqual(page.refused, ["answer 400", create("bad")]);
  assert.deepEqual(ids(page.store.boxes()), ["a"]);
  assert.equal(server.document().boxes[0].x, 50);
});

test("edits of an artwork that is gone are shown as unsaved, kept, and sent when it is restored", async () => {
  const server = new Server();
  server.failures = [404, 404];
  const page = open(server);
  page.store.apply([create("a")]);
  assert.equal(page.kept.size, 1);
  await page.outbox.settled();
  assert.deepEqual(page.statuses, ["saving", "gone", "gone", "saved"]);
  assert.deepEqual(page.pauses, [30000, 30000]);
  assert.deepEqual(ids(server.document().boxes), ["a"]);
});

test("who said that there is nothing to mark has not rejected what nobody had suggested yet", async () => {
  for (const [late, rejected] of [[[suggestion("late")], false], [[], true]]) {
    const server = new Server([suggestion("seen")]);
    const page = open(server);
    server.change(late.map((made) => ({ op: "restore", box: made })));
    page.store.apply([{ op: "mark_nothing", value: true }]);
    const kept = [...page.kept.values()];
    assert.equal(isDisputed(kept, server.document(), "ada"), !rejected);
    await page.outbox.settled();
    assert.equal(server.document().nothing_to_mark, rejected);
    assert.equal(page.conflicts.length, rejected ? 0 : 1);
    assert.deepEqual(ids(server.document().boxes), rejected ? [] : ["late", "seen"]);
  }
});

test("a newer document is taken over only while nothing is unsent", async () => {
  const server = new Server();
  const page = open(server);
  server.change([create("theirs")]);
  page.outbox.receive(server.document());
  assert.deepEqual(ids(page.store.boxes()), ["theirs"]);
  page.store.apply([create("mine")]);
  page.outbox.receive({ ...server.document(), boxes: [], revision: 99 });
  assert.deepEqual(ids(page.store.boxes()), ["mine", "theirs"]);
  await page.outbox.settled();
  assert.deepEqual(ids(server.document().boxes), ["mine", "theirs"]);
});

test("two pages with two hundred interleaved edits end with every edit done or reported", async () => {
  const server = new Server(Array.from({ length: 10 }, (_, i) => box(`b${i}`)));
  const pages = [open(server), open(server)];
  for (let i = 0; i < 200; i += 1) {
    const page = pages[i % 2];
    if (i % 7 === 0) server.failures.push(["before", "after", 503][i % 3]);
    if (i % 3 === 0) page.store.apply([create(`made${i}`)]);
    else if (page.store.box(`b${i % 10}`)) page.store.apply([{ op: "update", id: `b${i % 10}`, x: i }]);
    if (i % 5 === 0) await page.outbox.settled();
  }
  await Promise.all(pages.map(({ outbox }) => outbox.settled()));
  pages.forEach(({ outbox }) => outbox.receive(server.document()));
  const made = server.document().boxes.filter(({ id }) => id.startsWith("made"));
  assert.equal(made.length, 67);
  for (const { store } of pages) assert.deepEqual(ids(store.boxes()), ids(server.document().boxes));
});

for (const [name, edit] of [
  ["moved", { op: "update", id: "a", x: 77 }],
  ["accepted", { op: "accept", id: "s" }],
]) {
  test(`a box that somebody else has deleted while it was ${name} is no edit that is lost in silence`, async () => {
    const server = new Server([box("a"), suggestion("s")]);
    const page = open(server);
    server.change([{ op: "delete", id: edit.id }]);
    page.store.apply([edit]);
    await page.outbox.settled();
    assert.deepEqual(page.conflicts, [edit]);
    assert.deepEqual(page.disputed.map(({ id, theirs }) => [id, theirs]), [[edit.id, null]]);
    assert.equal(page.disputed[0].mine.state, "confirmed");
  });
}

test("a box that both have deleted is no conflict", async () => {
  const server = new Server([box("a")]);
  const page = open(server);
  server.change([{ op: "delete", id: "a" }]);
  page.store.apply([{ op: "delete", id: "a" }]);
  await page.outbox.settled();
  assert.deepEqual(page.conflicts, []);
});

test("who moved and then deleted a box that somebody else has deleted hears of nothing", async () => {
  const server = new Server([box("a")]);
  const page = open(server);
  server.change([{ op: "delete", id: "a" }]);
  page.store.apply([{ op: "update", id: "a", x: 77 }]);
  page.store.apply([{ op: "delete", id: "a" }]);
  await page.outbox.settled();
  assert.deepEqual([page.conflicts, page.disputed], [[], []]);
});

test("what was done to a box that the server refuses is refused with it and nobody else's doing", async () => {
  const server = new Server();
  server.failures = ["before", 400];
  const page = open(server);
  page.store.apply([create("a")]);
  page.store.apply([{ op: "update", id: "a", x: 77 }]);
  await page.outbox.settled();
  assert.deepEqual(page.conflicts, []);
  assert.equal(page.refused.length, 2);
  assert.deepEqual([page.kept.size, ids(page.store.boxes())], [0, []]);
});

test("kept edits are disputed only where somebody has changed the same boxes", () => {
  const kept = (edit, before) => [{ id: "k", revision: 3, edits: [edit], before: [before], made: 1 }];
  const server = new Server([box("a"), box("b")]);
  const [a] = server.document().boxes;
  const move = kept({ op: "update", id: "a", x: 77 }, a);
  assert.equal(isDisputed(move, server.document(), "ada"), false);
  server.change([{ op: "update", id: "b", x: 5 }]);
  assert.equal(isDisputed(move, server.document(), "ada"), false);
  server.change([{ op: "update", id: "a", x: 77 }]); // it had arrived: only the answer was lost
  assert.equal(isDisputed(move, server.document(), "ada"), false);
  server.change([{ op: "update", id: "a", x: 5 }]);
  assert.equal(isDisputed(move, server.document(), "ada"), true);
  server.change([{ op: "delete", id: "a" }]);
  assert.equal(isDisputed(move, server.document(), "ada"), true);
});
