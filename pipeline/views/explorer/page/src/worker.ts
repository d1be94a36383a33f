// The engine in a thread of its own: what the page asks and what it is told.

import { Engine, type Kind } from "./engine";

export type Ask =
  | { do: "start"; rows: number }
  | { do: "column"; name: string; kind: Kind; codes: number; parts: string[] } // parts: base64 of little-endian uint16
  | { do: "remove"; name: string }
  | { do: "range"; name: string; range: [number, number] | null; at: number }
  | { do: "words"; name: string; codes: number[] | null; at: number }
  | { do: "rows"; name: string; rows: Uint32Array | null; at: number }
  | { do: "set"; name: string; row: number; code: number }
  | { do: "sort"; name: string | null; descending: boolean }
  | { do: "window"; first: number; count: number; id: number }
  | { do: "place"; row: number; id: number }
  | { do: "values"; rows: Uint32Array; names: string[]; id: number };

export type Told =
  | { told: "state"; passing: number; counts: Record<string, Uint32Array>; at: number; took: number }
  | { told: "ready"; name: string }
  | { told: "answer"; id: number; rows?: Uint32Array; place?: number; values?: Record<string, Uint16Array> };

let engine = new Engine(0);

function bytesOf(text: string): Uint8Array {
  const made = (Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array }).fromBase64;
  if (made) return made(text);
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let n = 0; n < raw.length; n++) bytes[n] = raw.charCodeAt(n);
  return bytes;
}

function joined(parts: string[], rows: number): Uint16Array {
  const found = new Uint16Array(rows);
  let first = 0;
  for (const part of parts) {
    const bytes = bytesOf(part);
    found.set(new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 1), first);
    first += bytes.byteLength >>> 1;
  }
  return found;
}

function tell(told: Told): void {
  (postMessage as (message: unknown) => void)(told);
}

function state(at: number, began: number): void {
  const counts: Record<string, Uint32Array> = {};
  for (const [name, one] of engine.dimensions) counts[name] = one.counts;
  tell({ told: "state", passing: engine.passing, counts, at, took: performance.now() - began });
}

onmessage = (event: MessageEvent<Ask>) => {
  const ask = event.data;
  const began = performance.now();
  switch (ask.do) {
    case "start":
      engine = new Engine(ask.rows);
      break;
    case "column":
      engine.add(ask.name, ask.kind, joined(ask.parts, engine.rows), ask.codes);
      tell({ told: "ready", name: ask.name });
      state(0, began);
      break;
    case "remove":
      engine.remove(ask.name);
      state(0, began);
      break;
    case "range":
      engine.filterRange(ask.name, ask.range);
      state(ask.at, began);
      break;
    case "words":
      engine.filterWords(ask.name, ask.codes);
      state(ask.at, began);
      break;
    case "rows":
      engine.filterRows(ask.name, ask.rows);
      state(ask.at, began);
      break;
    case "set":
      engine.setWord(ask.name, ask.row, ask.code);
      state(0, began);
      break;
    case "sort":
      engine.sort(ask.name, ask.descending);
      state(0, began);
      break;
    case "window":
      tell({ told: "answer", id: ask.id, rows: engine.window(ask.first, ask.count) });
      break;
    case "place":
      tell({ told: "answer", id: ask.id, place: engine.place(ask.row) });
      break;
    case "values": {
      const values: Record<string, Uint16Array> = {};
      for (const name of ask.names) {
        const one = engine.dimensions.get(name);
        if (one) values[name] = Uint16Array.from(ask.rows, (row) => one.codes[row]);
      }
      tell({ told: "answer", id: ask.id, values });
      break;
    }
  }
};
