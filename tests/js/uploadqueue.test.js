import assert from "node:assert/strict";
import test from "node:test";

import { QueueItem, UploadQueue } from "../../static/js/uploadqueue.js";

/** An error as `api()` throws it. */
function refusal(status, code = "x") {
  return Object.assign(new Error(`answer ${status}`), { status, code });
}

/** A queue that tries again without waiting, and a promise of its end. */
function open() {
  let end;
  const dry = new Promise((resolve) => (end = resolve));
  const queue = new UploadQueue((item) => item === null && end(), [0, 0]);
  return { queue, dry };
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

test("files go out three at a time and every one arrives", async () => {
  const { queue, dry } = open();
  let now = 0;
  let most = 0;
  const send = async () => {
    most = Math.max(most, (now += 1));
    await tick();
    now -= 1;
  };
  queue.add(Array.from({ length: 20 }, (_, i) => new QueueItem(`${i}.jpg`, 10, send)));
  await dry;
  assert.equal(most, 3);
  assert.equal(queue.count("done"), 20);
  assert.equal(queue.progress, 1);
});

test("a refusal is final, a passing fault is tried again", async () => {
  const { queue, dry } = open();
  let tries = 0;
  const flaky = async () => {
    tries += 1;
    if (tries < 3) throw refusal(tries === 1 ? 0 : 503);
  };
  let refused = 0;
  const bad = async () => {
    refused += 1;
    throw refusal(400);
  };
  queue.add([new QueueItem("flaky.jpg", 1, flaky), new QueueItem("bad.jpg", 1, bad)]);
  await dry;
  assert.deepEqual(queue.items.map((item) => item.state), ["done", "refused"]);
  assert.equal(tries, 3);
  assert.equal(refused, 1);
  assert.equal(queue.items[1].reason, "answer 400");
});

test("a fault that stays is a failure that can be tried again later", async () => {
  const { queue, dry } = open();
  let works = false;
  queue.add([new QueueItem("a.jpg", 1, async () => {
    if (!works) throw refusal(0);
  })]);
  await dry;
  assert.equal(queue.items[0].state, "failed");
  works = true;
  queue.retry();
  await tick();
  assert.equal(queue.items[0].state, "done");
});

test("a file that the dataset has already is neither added nor a failure", async () => {
  const { queue, dry } = open();
  queue.add([new QueueItem("a.jpg", 1, async () => {
    throw refusal(409, "duplicate");
  })]);
  await dry;
  assert.equal(queue.items[0].state, "present");
});

test("stopping keeps what is not sent, and it can be taken up again", async () => {
  const { queue } = open();
  const hangs = ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(refusal(0))));
  queue.add(Array.from({ length: 5 }, (_, i) => new QueueItem(`${i}.jpg`, 1, hangs)));
  queue.stop();
  await tick();
  assert.equal(queue.count("stopped"), 5);
  assert.equal(queue.isBusy, false);
  queue.items.forEach((item) => (item.send = async () => {}));
  queue.retry();
  await tick();
  assert.equal(queue.count("done"), 5);
});

test("what a file turns into is queued behind it, and what was refused beforehand is only listed", async () => {
  const { queue, dry } = open();
  const refused = Object.assign(new QueueItem("zip/readme.txt", 0, null), { state: "refused" });
  queue.add([new QueueItem("scans.zip", 9, async () => {
    queue.add([refused, new QueueItem("zip/a.jpg", 1, async () => {})]);
    return "opened";
  })]);
  await dry;
  assert.deepEqual(queue.items.map((item) => item.state), ["opened", "refused", "done"]);
});

test("who is logged out loses no file: the rest waits to be tried again", async () => {
  const { queue } = open();
  let sent = 0;
  let loggedIn = false;
  const send = async () => {
    sent += 1;
    if (!loggedIn) throw refusal(403);
  };
  queue.add(Array.from({ length: 50 }, (_, i) => new QueueItem(`${i}.jpg`, 1, send)));
  await tick();
  assert.equal(queue.count("failed", "stopped"), 50);
  assert.ok(sent <= 3);
  loggedIn = true;
  queue.retry();
  await tick();
  assert.equal(queue.count("done"), 50);
});
