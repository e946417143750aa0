import assert from "node:assert/strict";
import test from "node:test";

import { droppedFiles } from "../../static/js/filelist.js";

const file = (path, readable = true) => ({
  isFile: true,
  name: path.split("/").at(-1),
  fullPath: `/${path}`,
  file: (resolve, reject) => (readable ? resolve({ name: path }) : reject(new Error("not readable"))),
});

const folder = (path, entries, readable = true) => ({
  isFile: false,
  name: path.split("/").at(-1),
  fullPath: `/${path}`,
  createReader: () => {
    const batches = [entries, []];
    return { readEntries: (resolve, reject) => (readable ? resolve(batches.shift()) : reject(new Error("not readable"))) };
  },
});

const drop = (...entries) => ({ items: entries.map((entry) => ({ webkitGetAsEntry: () => entry })) });

test("folders are read to the bottom, in order, without what systems leave in them", async () => {
  const found = await droppedFiles(drop(folder("a", [file("a/10.jpg"), file("a/2.jpg"), file("a/.DS_Store"), folder("a/b", [file("a/b/1.jpg")])])));
  assert.deepEqual(found.map(({ path }) => path), ["a/2.jpg", "a/10.jpg", "a/b/1.jpg"]);
});

test("what cannot be read is named and keeps nothing else from being added", async () => {
  const found = await droppedFiles(drop(folder("a", [file("a/1.jpg"), file("a/2.jpg", false), folder("a/b", [], false)]), file("3.jpg")));
  const told = Object.fromEntries(found.map(({ path, error }) => [path, Boolean(error)]));
  assert.deepEqual(told, { "3.jpg": false, "a/1.jpg": false, "a/2.jpg": true, "a/b": true });
});
