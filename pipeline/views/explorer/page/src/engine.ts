// Columns that brush one another: how many clips every bin of every column holds, of those that all other columns let through.
// After a brush only the clips that it lets in or out are counted again, so that the cost is that of the move and not of the corpus.

export type Kind = "number" | "word";

export const LEVELS = 65536; // of a number, the last of which stands for no value
const BIN_SHIFT = 10; // 1024 levels a bin

export interface Dimension {
  kind: Kind;
  bit: number;
  codes: Uint16Array; // level or code by row
  counts: Uint32Array; // by bin or code, of the rows that all other dimensions let through
  order: Uint32Array; // rows, sorted by code
  starts: Uint32Array; // where each code begins in `order`
  range: [number, number]; // of a number: the codes let through, half open
  accepted: Uint8Array | null; // of a word: by code; null for all
}

/** Which column's bin a code is counted in. */
export function binOf(kind: Kind, code: number): number {
  return kind === "word" ? code : code >>> BIN_SHIFT;
}

export class Engine {
  readonly dimensions = new Map<string, Dimension>();
  readonly mask: Uint32Array; // by row, a bit for each dimension that keeps it out
  passing: number;
  private sets = new Map<string, { bit: number; inside: Uint8Array | null }>(); // rows chosen from outside, such as by SQL
  private free: number[] = Array.from({ length: 32 }, (_, n) => 31 - n);
  private sorted: { order: Uint32Array | null; starts: Uint32Array | null; descending: boolean } = { order: null, starts: null, descending: false };
  private list: Uint32Array | null = null; // the rows let through, in order; made when asked for

  constructor(readonly rows: number) {
    this.mask = new Uint32Array(rows);
    this.passing = rows;
  }

  /** Adds a column. Word codes are below `codes`, which counts the one that stands for no word. */
  add(name: string, kind: Kind, codes: Uint16Array, number: number): void {
    const bit = this.free.pop();
    if (bit === undefined) throw new RangeError("no more than 32 columns can be brushed at a time");
    const size = kind === "number" ? LEVELS : number;
    const { order, starts } = sortedByCode(codes, size);
    const counts = new Uint32Array(kind === "number" ? LEVELS >>> BIN_SHIFT : size);
    const made: Dimension = { kind, bit: (1 << bit) >>> 0, codes, counts, order, starts, range: [0, LEVELS], accepted: null };
    this.dimensions.set(name, made);
    for (let row = 0; row < this.rows; row++) if (this.mask[row] === 0) this.count(made, row, 1);
  }

  /** Takes a column away, and with it what it kept out. */
  remove(name: string): void {
    const gone = this.dimensions.get(name);
    if (!gone) return;
    if (gone.kind === "number") this.filterRange(name, null);
    else this.filterWords(name, null);
    this.dimensions.delete(name);
    this.free.push(31 - Math.clz32(gone.bit));
  }

  /** Lets through the codes in [from, to) alone; null for all, those without a value too. */
  filterRange(name: string, range: [number, number] | null): void {
    const one = this.dimension(name);
    const [from, to] = range ?? [0, LEVELS];
    const [oldFrom, oldTo] = one.range;
    one.range = [from, to];
    if (from >= oldTo || oldFrom >= to) {
      this.flipCodes(one, oldFrom, oldTo);
      this.flipCodes(one, from, to);
    } else {
      this.flipCodes(one, Math.min(from, oldFrom), Math.max(from, oldFrom));
      this.flipCodes(one, Math.min(to, oldTo), Math.max(to, oldTo));
    }
    this.list = null;
  }

  /** Lets through these codes alone; null for all. */
  filterWords(name: string, codes: number[] | null): void {
    const one = this.dimension(name);
    const before = one.accepted;
    const size = one.starts.length - 1;
    const after = codes && new Uint8Array(size);
    for (const code of codes ?? []) if (after && code < size) after[code] = 1;
    one.accepted = after;
    for (let code = 0; code < size; code++) {
      if ((before ? before[code] : 1) !== (after ? after[code] : 1)) this.flipCodes(one, code, code + 1);
    }
    this.list = null;
  }

  /** Lets through these rows alone; null for all. Each name is a choice of its own. */
  filterRows(name: string, rows: ArrayLike<number> | null): void {
    let set = this.sets.get(name);
    if (!set) {
      if (rows === null) return;
      const bit = this.free.pop();
      if (bit === undefined) throw new RangeError("no more than 32 columns can be brushed at a time");
      set = { bit: (1 << bit) >>> 0, inside: null };
      this.sets.set(name, set);
    }
    const before = set.inside;
    const after = rows && new Uint8Array(this.rows);
    if (after && rows) for (let n = 0; n < rows.length; n++) after[rows[n]] = 1;
    set.inside = after;
    for (let row = 0; row < this.rows; row++) {
      if ((before ? before[row] : 1) !== (after ? after[row] : 1)) this.flip(row, set.bit, null);
    }
    this.list = null;
  }

  /** Gives a row another word. */
  setWord(name: string, row: number, code: number): void {
    const one = this.dimension(name);
    const old = one.codes[row];
    if (old === code) return;
    if ((this.mask[row] & ~one.bit) >>> 0 === 0) {
      one.counts[old]--;
      one.counts[code]++;
    }
    one.codes[row] = code;
    // A word of one row changes rarely: its place in the order is found by moving it past the codes between.
    move(one, row, old, code);
    const out = one.accepted ? one.accepted[code] === 0 : false;
    if (((this.mask[row] & one.bit) !== 0) !== out) this.flip(row, one.bit, one);
    this.list = null;
  }

  /** Sorts by a column, those without a value last; null for the order of the corpus. */
  sort(name: string | null, descending: boolean): void {
    const one = name === null ? null : this.dimension(name);
    this.sorted = { order: one && one.order, starts: one && one.starts, descending };
    this.list = null;
  }

  /** Rows that are let through, in order: those from place `first` on. */
  window(first: number, count: number): Uint32Array {
    this.list ??= this.listed();
    return this.list.slice(first, first + count);
  }

  /** The place of a row among those let through; -1 for one that is not. */
  place(row: number): number {
    this.list ??= this.listed();
    return this.list.indexOf(row);
  }

  private listed(): Uint32Array {
    const found = new Uint32Array(this.passing);
    const { order, starts, descending } = this.sorted;
    let n = 0;
    if (!order || !starts) {
      for (let row = 0; row < this.rows; row++) if (this.mask[row] === 0) found[n++] = row;
      return found;
    }
    const end = starts[starts.length - 2]; // where the code begins that stands for no value
    if (descending) for (let k = end - 1; k >= 0; k--) { if (this.mask[order[k]] === 0) found[n++] = order[k]; }
    else for (let k = 0; k < end; k++) { if (this.mask[order[k]] === 0) found[n++] = order[k]; }
    for (let k = end; k < order.length; k++) if (this.mask[order[k]] === 0) found[n++] = order[k];
    return found;
  }

  private dimension(name: string): Dimension {
    const found = this.dimensions.get(name);
    if (!found) throw new RangeError(`no column ${name}`);
    return found;
  }

  private flipCodes(one: Dimension, from: number, to: number): void {
    if (from >= to) return;
    const end = one.starts[to];
    for (let k = one.starts[from]; k < end; k++) this.flip(one.order[k], one.bit, one);
  }

  /** Keeps a row out by a bit, or no longer; `own` is that bit's column, whose counts do not follow its own brush. */
  private flip(row: number, bit: number, own: Dimension | null): void {
    const before = this.mask[row];
    const after = (before ^ bit) >>> 0;
    this.mask[row] = after;
    const step = (after & bit) === 0 ? 1 : -1;
    const others = (after & ~bit) >>> 0;
    if (others === 0) {
      this.passing += step;
      for (const one of this.dimensions.values()) if (one !== own) this.count(one, row, step);
    } else if ((others & (others - 1)) === 0) {
      for (const one of this.dimensions.values()) if (one.bit === others) this.count(one, row, step);
    }
  }

  private count(one: Dimension, row: number, step: number): void {
    const code = one.codes[row];
    if (one.kind === "word") one.counts[code] += step;
    else if (code !== LEVELS - 1) one.counts[code >>> BIN_SHIFT] += step;
  }
}

/** Rows sorted by code, and where each of `size` codes begins. */
export function sortedByCode(codes: Uint16Array, size: number): { order: Uint32Array; starts: Uint32Array } {
  const starts = new Uint32Array(size + 1);
  for (let row = 0; row < codes.length; row++) starts[codes[row] + 1]++;
  for (let code = 0; code < size; code++) starts[code + 1] += starts[code];
  const next = starts.slice();
  const order = new Uint32Array(codes.length);
  for (let row = 0; row < codes.length; row++) order[next[codes[row]]++] = row;
  return { order, starts };
}

function move(one: Dimension, row: number, from: number, to: number): void {
  const { order, starts } = one;
  let place = order.indexOf(row, starts[from]);
  if (from < to) {
    for (let code = from; code < to; code++) {
      const last = starts[code + 1] - 1;
      order[place] = order[last];
      order[last] = row;
      place = last;
      starts[code + 1]--;
    }
  } else {
    for (let code = from; code > to; code--) {
      const first = starts[code];
      order[place] = order[first];
      order[first] = row;
      place = first;
      starts[code]++;
    }
  }
}
