// What the page knows, and the worker that counts. Components follow its signals and call its functions; none holds data of its own.

import { content, forget, json, remembering } from "./data";
import { condition, type Filter } from "./format";
import { Signal } from "./signal";
import type { Catalogue, Column, Detail, Losses } from "./types";
import type { Ask, Told } from "./worker";

declare const WORKER: string;

export type View = "clips" | "losses" | "sql";

const FIRST_OPEN = 9; // histograms that are open when the page is

export class Model {
  readonly columns = new Map<string, Column>();
  readonly passing: Signal<number>;
  readonly counts = new Signal<Record<string, Uint32Array>>({});
  readonly revision = new Signal(0); // goes up when other clips, or the same in another order, are let through
  readonly filters = new Signal<Record<string, Filter>>({});
  readonly chosen = new Signal<Record<string, number>>({}); // rows chosen from outside, by who chose: how many
  readonly open: Signal<string[]>;
  readonly ready = new Signal<ReadonlySet<string>>(new Set());
  readonly sorted = new Signal<{ name: string | null; descending: boolean }>({ name: null, descending: true });
  readonly selected = new Signal<number | null>(null);
  readonly view = new Signal<View>("clips");
  readonly trouble = new Signal("");
  readonly detail: (row: number) => Promise<Detail>;
  readonly textPart: (key: string) => Promise<string[]>;
  private worker: Worker;
  private answers = new Map<number, (told: Extract<Told, { told: "answer" }>) => void>();
  private loading = new Map<string, Promise<void>>();
  private questions = 0;
  private brushing = false;
  private brushed = 0; // when the brush that is counted now was sent
  private nextBrush: { name: string; range: [number, number] | null } | null = null;

  constructor(readonly catalogue: Catalogue) {
    for (const column of catalogue.columns) this.columns.set(column.name, column);
    this.passing = new Signal(catalogue.rows);
    this.open = new Signal(firstOpen(catalogue));
    this.worker = new Worker(URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" })));
    this.worker.onmessage = (event: MessageEvent<Told>) => this.hear(event.data);
    this.ask({ do: "start", rows: catalogue.rows });
    const details = remembering(40, (key) => json<Detail>(`clips/${key}`));
    this.detail = (row) => details(`${Math.floor(row / 1000)}/${row}`);
    this.textPart = remembering(120, (key) => json<string[]>(`texts/${key}`));
  }

  readonly losses: () => Promise<Losses> = once(() => json<Losses>("losses"));

  /** Opens the first histograms, one after the other: what is seen comes first. */
  async start(): Promise<void> {
    for (const name of ["review", ...this.open.value]) await this.load(name);
  }

  column(name: string): Column {
    return this.columns.get(name) as Column;
  }

  /** Has the worker hold a column. */
  load(name: string): Promise<void> {
    let found = this.loading.get(name);
    if (!found) {
      found = this.fetched(name);
      this.loading.set(name, found);
    }
    return found;
  }

  private async fetched(name: string): Promise<void> {
    const column = this.column(name);
    const number = this.catalogue.columns.indexOf(column);
    const parts: string[] = [];
    for (let part = 0; part * this.catalogue.part_rows < Math.max(1, this.catalogue.rows); part++) {
      parts.push(await content(`values/${number}-${part}`));
      forget(`values/${number}-${part}`);
    }
    this.ask({ do: "column", name, kind: column.kind as "number" | "word", codes: column.words.length + 1, parts });
    await new Promise<void>((resolve) => {
      const stop = this.ready.follow(() => {
        if (!this.ready.value.has(name)) return;
        stop();
        resolve();
      });
    });
  }

  /** Shows the histogram of a column, or hides it; what a hidden one kept out is let in again. */
  toggle(name: string): void {
    const open = this.open.value;
    if (!open.includes(name)) {
      this.open.value = [...open, name];
      this.load(name).catch((error: Error) => (this.trouble.value = error.message));
    } else {
      this.filter(name, null);
      this.open.value = open.filter((one) => one !== name);
    }
  }

  filter(name: string, filter: Filter | null): void {
    const left = { ...this.filters.value };
    delete left[name];
    this.filters.value = filter ? { ...left, [name]: filter } : left;
    if (this.column(name).kind === "word") {
      this.ask({ do: "words", name, codes: filter && "codes" in filter ? filter.codes : null, at: ++this.questions });
    } else {
      this.brush(name, filter && "range" in filter ? filter.range : null);
    }
  }

  /** Sends brushes one at a time: of those that come while one is counted, the last is what counts. */
  private brush(name: string, range: [number, number] | null): void {
    if (this.brushing) {
      if (this.nextBrush && this.nextBrush.name !== name) this.ask({ do: "range", ...this.nextBrush, at: 0 });
      this.nextBrush = { name, range };
      return;
    }
    this.brushing = true;
    this.brushed = performance.now();
    this.ask({ do: "range", name, range, at: -1 });
  }

  clearFilters(): void {
    for (const name of Object.keys(this.filters.value)) this.filter(name, null);
    for (const name of Object.keys(this.chosen.value)) this.choose(name, null);
  }

  /** Lets only these rows through; null for all. */
  choose(name: string, rows: number[] | null): void {
    const left = { ...this.chosen.value };
    delete left[name];
    this.chosen.value = rows ? { ...left, [name]: rows.length } : left;
    this.ask({ do: "rows", name, rows: rows && Uint32Array.from(rows), at: ++this.questions });
  }

  async sort(name: string | null, descending: boolean): Promise<void> {
    if (name !== null) await this.load(name);
    this.sorted.value = { name, descending };
    this.ask({ do: "sort", name, descending });
  }

  setWord(name: string, row: number, code: number): void {
    this.ask({ do: "set", name, row, code });
  }

  async window(first: number, count: number): Promise<Uint32Array> {
    return (await this.question({ do: "window", first, count, id: 0 })).rows as Uint32Array;
  }

  async place(row: number): Promise<number> {
    return (await this.question({ do: "place", row, id: 0 })).place as number;
  }

  async values(rows: Uint32Array, names: string[]): Promise<Record<string, Uint16Array>> {
    return (await this.question({ do: "values", rows, names, id: 0 })).values as Record<string, Uint16Array>;
  }

  /** The text of a column in a row; "" where the column is none of this corpus. */
  async text(name: string, row: number): Promise<string> {
    const column = this.columns.get(name);
    if (!column || column.kind === "number") return "";
    const number = this.catalogue.columns.indexOf(column);
    if (column.kind === "text") {
      const part = Math.floor(row / this.catalogue.text_rows);
      return (await this.textPart(`${number}-${part}`))[row - part * this.catalogue.text_rows];
    }
    await this.load(name);
    return column.words[(await this.values(Uint32Array.of(row), [name]))[name][0]] ?? "";
  }

  /** The filters as a condition for `headset select --where`; "" where there is none. */
  condition(): string {
    const parts = Object.entries(this.filters.value).map(([name, filter]) => condition(this.column(name), filter));
    return [...(this.catalogue.where ? [`(${this.catalogue.where})`] : []), ...parts].join(" and ");
  }

  private ask(ask: Ask): void {
    this.worker.postMessage(ask);
  }

  private question(ask: Extract<Ask, { id: number }>): Promise<Extract<Told, { told: "answer" }>> {
    const id = ++this.questions;
    return new Promise((resolve) => {
      this.answers.set(id, resolve);
      this.ask({ ...ask, id });
    });
  }

  private hear(told: Told): void {
    if (told.told === "answer") {
      this.answers.get(told.id)?.(told);
      this.answers.delete(told.id);
      return;
    }
    if (told.told === "ready") {
      this.ready.value = new Set([...this.ready.value, told.name]);
      return;
    }
    this.passing.value = told.passing;
    this.counts.value = told.counts;
    this.revision.value++;
    if (told.at !== -1) return;
    performance.measure("brush", { start: this.brushed, detail: { worker: told.took } });
    this.brushing = false;
    if (this.nextBrush) {
      const next = this.nextBrush;
      this.nextBrush = null;
      this.brush(next.name, next.range);
    }
  }
}

/** The columns that tell clips apart most readily: length, scores, then few words. */
function firstOpen(catalogue: Catalogue): string[] {
  const varied = catalogue.columns.filter((one) => (one.kind === "number" ? one.high > one.low : one.words.length > 1 && one.words.length <= 60));
  const rank = (one: Column): number =>
    one.name === "seconds" ? 0 : PREFERRED.includes(one.name) ? 1 + PREFERRED.indexOf(one.name) : one.group === "scores" && one.kind === "number" ? 50 : one.kind === "word" && one.group !== "renders" ? 60 : 99;
  const ranked = varied.filter((one) => rank(one) < 99 && one.group !== "review" && one.name !== "face_px" && !one.name.endsWith("_id")).sort((a, b) => rank(a) - rank(b));
  return ranked.slice(0, FIRST_OPEN).map((one) => one.name);
}

const PREFERRED = ["face_width_px", "dnsmos_ovrl", "lse_c", "sharpness", "yaw_deg", "speaking_share", "language", "channel", "split", "identity"];

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let held: Promise<T> | null = null;
  return () => {
    held ??= ask().catch((error) => {
      held = null;
      throw error;
    });
    return held;
  };
}
