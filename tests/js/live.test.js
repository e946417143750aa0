import assert from "node:assert/strict";
import test from "node:test";

import { listen } from "../../static/js/live.js";

/** The browser's side of a socket; the test plays the server. */
class Socket {
  static made = [];

  constructor(url) {
    this.url = url;
    Socket.made.push(this);
  }

  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }

  drop(code = 1006) {
    this.onclose({ code });
  }

  close() {
    this.drop(1000);
  }
}

globalThis.location = { protocol: "https:", host: "museum.test" };
globalThis.WebSocket = Socket;
globalThis.document = { documentElement: { lang: "it" } };

const event = (run, seq) => ({ run, seq, kind: "log", payload: {} });

function open(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  Socket.made.length = 0;
  globalThis.window = new EventTarget();
  const heard = { state: [], events: [], status: [] };
  heard.connection = listen("/ws/datasets/3/", {
    onState: (runs) => heard.state.push(...runs.flatMap((run) => run.events.map(({ seq }) => seq))),
    onEvents: (events) => heard.events.push(...events.map(({ seq }) => seq)),
    onStatus: (status) => heard.status.push(status),
  });
  return heard;
}

test("each event is heard once and in order, whichever way it comes", (t) => {
  const heard = open(t);
  const [socket] = Socket.made;
  assert.equal(socket.url, "wss://museum.test/ws/datasets/3/?language=it");
  socket.say({ type: "state", runs: [{ id: 9, events: [event(9, 1), event(9, 2)] }] });
  socket.say({ type: "events", events: [event(9, 2), event(9, 3)] });
  socket.say({ type: "events", events: [event(9, 3)] });
  assert.deepEqual([heard.state, heard.events], [[1, 2], [3]]);
});

test("a lost connection comes back and names what was seen", (t) => {
  const heard = open(t);
  Socket.made[0].onopen();
  Socket.made[0].say({ type: "events", events: [event(9, 4), event(11, 2)] });
  Socket.made[0].drop();
  assert.equal(heard.status.at(-1), "waiting");
  t.mock.timers.tick(1000);
  assert.equal(decodeURIComponent(Socket.made[1].url.split("after=")[1]), "9:4,11:2");
});

test("what a power cut took from the server's memory is heard anew under the same numbers", (t) => {
  const heard = open(t);
  Socket.made[0].say({ type: "state", runs: [{ id: 9, last_seq: 2, events: [event(9, 1), event(9, 2)] }] });
  Socket.made[0].say({ type: "events", events: [event(9, 3), event(9, 4)] });
  Socket.made[0].drop();
  t.mock.timers.tick(1000);
  Socket.made[1].say({ type: "state", runs: [{ id: 9, last_seq: 2, events: [] }] });
  Socket.made[1].say({ type: "events", events: [event(9, 3)] });
  assert.deepEqual(heard.events, [3, 4, 3]);
});

test("the pauses between attempts grow, and a connection that holds resets them", (t) => {
  open(t);
  for (let i = 0; i < 4; i += 1) {
    Socket.made.at(-1).drop();
    t.mock.timers.tick(8000);
  }
  assert.equal(Socket.made.length, 5);
  Socket.made.at(-1).drop();
  t.mock.timers.tick(1000);
  assert.equal(Socket.made.length, 5);
  t.mock.timers.tick(20_000);
  Socket.made.at(-1).onopen();
  Socket.made.at(-1).drop();
  t.mock.timers.tick(700);
  assert.equal(Socket.made.length, 7);
});

test("without rights it does not try again", (t) => {
  const heard = open(t);
  Socket.made[0].drop(4403);
  t.mock.timers.tick(60_000);
  window.dispatchEvent(new Event("online"));
  assert.equal(Socket.made.length, 1);
  assert.equal(heard.status.at(-1), "denied");
});

test("closed by the page, it stays closed", (t) => {
  const heard = open(t);
  heard.connection.close();
  t.mock.timers.tick(60_000);
  window.dispatchEvent(new Event("online"));
  assert.equal(Socket.made.length, 1);
});
