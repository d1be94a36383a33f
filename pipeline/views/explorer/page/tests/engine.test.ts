// Brushes moved at random: after each, every count is what counting all rows anew gives.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Engine, LEVELS } from "../src/engine";

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Truth {
  kind: "number" | "word";
  codes: Uint16Array;
  size: number;
  lets: (code: number) => boolean;
}

function recounted(truth: Map<string, Truth>, inside: Uint8Array | null, rows: number) {
  const passes = (row: number, but?: string): boolean => (!inside || inside[row] === 1) && [...truth].every(([name, one]) => name === but || one.lets(one.codes[row]));
  const counts: Record<string, number[]> = {};
  for (const [name, one] of truth) {
    counts[name] = new Array(one.kind === "number" ? 64 : one.size).fill(0);
    for (let row = 0; row < rows; row++) {
      if (!passes(row, name)) continue;
      const code = one.codes[row];
      if (one.kind === "word") counts[name][code]++;
      else if (code !== LEVELS - 1) counts[name][code >>> 10]++;
    }
  }
  const list: number[] = [];
  for (let row = 0; row < rows; row++) if (passes(row)) list.push(row);
  return { counts, list };
}

test("brushes, words, rows from outside and changed words are counted as anew", () => {
  const random = generator(7);
  const rows = 700;
  const engine = new Engine(rows);
  const truth = new Map<string, Truth>();
  for (const name of ["a", "b", "c"]) {
    const codes = Uint16Array.from({ length: rows }, () => (random() < 0.1 ? LEVELS - 1 : Math.floor(random() * random() * (LEVELS - 1))));
    truth.set(name, { kind: "number", codes, size: 64, lets: () => true });
    engine.add(name, "number", codes, 0);
  }
  const words = Uint16Array.from({ length: rows }, () => Math.floor(random() * 5));
  truth.set("w", { kind: "word", codes: words.slice(), size: 5, lets: () => true });
  engine.add("w", "word", words, 5);
  let inside: Uint8Array | null = null;
  for (let n = 0; n < 400; n++) {
    const what = random();
    if (what < 0.6) {
      const name = ["a", "b", "c"][Math.floor(random() * 3)];
      const one = truth.get(name) as Truth;
      if (random() < 0.2) {
        engine.filterRange(name, null);
        one.lets = () => true;
      } else {
        const from = Math.floor(random() * (LEVELS - 2));
        const to = from + 1 + Math.floor(random() * (LEVELS - 2 - from));
        engine.filterRange(name, [from, to]);
        one.lets = (code) => code >= from && code < to;
      }
    } else if (what < 0.75) {
      const one = truth.get("w") as Truth;
      const codes = random() < 0.3 ? null : [0, 1, 2, 3, 4].filter(() => random() < 0.5);
      engine.filterWords("w", codes);
      one.lets = codes ? (code) => codes.includes(code) : () => true;
    } else if (what < 0.85) {
      const chosen = random() < 0.3 ? null : Array.from({ length: rows }, (_, row) => row).filter(() => random() < 0.7);
      engine.filterRows("sql", chosen);
      inside = chosen && new Uint8Array(rows).map((_, row) => (chosen.includes(row) ? 1 : 0));
    } else {
      const row = Math.floor(random() * rows);
      const code = Math.floor(random() * 5);
      engine.setWord("w", row, code);
      (truth.get("w") as Truth).codes[row] = code;
    }
    const { counts, list } = recounted(truth, inside, rows);
    assert.equal(engine.passing, list.length);
    for (const [name, expected] of Object.entries(counts)) assert.deepEqual([...(engine.dimensions.get(name)?.counts ?? [])], expected, `${name} after ${n}`);
    assert.deepEqual([...engine.window(0, rows)], list);
  }
});

test("sorted, those without a value come last in either direction", () => {
  const engine = new Engine(5);
  engine.add("x", "number", Uint16Array.of(30, LEVELS - 1, 10, 20, 10), 0);
  engine.sort("x", false);
  assert.deepEqual([...engine.window(0, 9)], [2, 4, 3, 0, 1]);
  engine.sort("x", true);
  assert.deepEqual([...engine.window(0, 9)], [0, 3, 4, 2, 1]);
  engine.filterRange("x", [15, 100]);
  assert.deepEqual([...engine.window(0, 9)], [0, 3]);
  assert.deepEqual([engine.place(3), engine.place(2)], [1, -1]);
});

test("a column that is taken away keeps nothing out, and leaves room for another", () => {
  const engine = new Engine(3);
  for (let n = 0; n < 60; n++) {
    engine.add("x", "number", Uint16Array.of(1, 2, 3), 0);
    engine.filterRange("x", [2, 3]);
    assert.equal(engine.passing, 1);
    engine.remove("x");
    assert.equal(engine.passing, 3);
  }
});
