// What a person says of clips: keep, reject, or flag with a reason. Kept in the browser as it is said, and handed over as a file.

import type { Model } from "./model";
import { Signal } from "./signal";

export type Verdict = "keep" | "reject" | "flag";

export const GLYPH: Record<Verdict, string> = { keep: "✓", reject: "✕", flag: "⚑" };

export interface Entry {
  verdict: Verdict | ""; // "" for one that was taken back, so that an import takes it back too
  reason: string;
  at: string; // UTC, ISO 8601
}

interface Kept {
  reviewer: string;
  reviews: Record<string, Entry>; // by clip
}

/** Whether a word goes on with the one before it, such as a reason for the flag just set: one `u` takes both back. */
export function goesOn(sameClip: boolean, now: Entry | undefined, verdict: Verdict | ""): boolean {
  return sameClip && verdict !== "" && now?.verdict === verdict;
}

const FORMAT = "headset reviews 1";

export class Reviews {
  readonly entries = new Signal<ReadonlyMap<string, Entry>>(new Map());
  readonly reviewer = new Signal("");
  readonly unsaved = new Signal(false); // whether the browser refused to keep what was said
  private rows = new Map<string, number>(); // by clip, as far as rows were seen
  private before: [string, number, Entry | undefined][] = []; // to be undone, the last one last

  constructor(private model: Model) {
    const kept = this.read();
    this.reviewer.value = kept.reviewer;
    this.entries.value = new Map(Object.entries(kept.reviews));
  }

  /** Marks the clips that were judged before: their rows are looked up, since a page of other clips has others. */
  async restore(): Promise<void> {
    if (!this.entries.value.size) return;
    const { catalogue } = this.model;
    const column = catalogue.columns.findIndex((one) => one.name === "clip_id");
    let left = this.entries.value.size;
    for (let part = 0; part * catalogue.text_rows < catalogue.rows && left > 0; part++) {
      const clips = await this.model.textPart(`${column}-${part}`);
      clips.forEach((clip, n) => {
        const entry = this.entries.value.get(clip);
        if (!entry) return;
        left--;
        this.rows.set(clip, part * catalogue.text_rows + n);
        this.mark(part * catalogue.text_rows + n, entry.verdict);
      });
    }
  }

  of(clip: string): Entry | undefined {
    return this.entries.value.get(clip);
  }

  say(clip: string, row: number, verdict: Verdict | "", reason = ""): void {
    const now = this.of(clip);
    if (!goesOn(this.before.at(-1)?.[0] === clip, now, verdict)) this.before.push([clip, row, now]);
    this.put(clip, row, { verdict, reason, at: new Date().toISOString().replace(/\.\d+Z$/, "Z") });
  }

  /** Takes the last thing back that was said, and returns its row. */
  undo(): number | null {
    const last = this.before.pop();
    if (!last) return null;
    const [clip, row, entry] = last;
    this.put(clip, row, entry);
    return row;
  }

  rename(reviewer: string): void {
    this.reviewer.value = reviewer;
    this.keep();
  }

  tally(): Record<Verdict, number> {
    const found = { keep: 0, reject: 0, flag: 0 };
    for (const { verdict } of this.entries.value.values()) if (verdict) found[verdict]++;
    return found;
  }

  /** The file that `headset import-reviews` takes. */
  file(): string {
    const reviews = [...this.entries.value].map(([clip_id, entry]) => ({ clip_id, ...entry }));
    reviews.sort((a, b) => (a.clip_id < b.clip_id ? -1 : 1));
    return `${JSON.stringify({ format: FORMAT, corpus: this.model.catalogue.corpus, reviewer: this.reviewer.value, reviews }, null, 1)}\n`;
  }

  download(): void {
    const link = document.createElement("a");
    const address = URL.createObjectURL(new Blob([this.file()], { type: "application/json" }));
    link.href = address;
    link.download = "reviews.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  private put(clip: string, row: number, entry: Entry | undefined): void {
    const entries = new Map(this.entries.value);
    if (entry) entries.set(clip, entry);
    else entries.delete(clip);
    this.entries.value = entries;
    this.rows.set(clip, row);
    this.mark(row, entry?.verdict ?? "");
    this.keep();
  }

  private mark(row: number, verdict: Verdict | ""): void {
    this.model.setWord("review", row, Math.max(0, this.model.catalogue.verdicts.indexOf(verdict)));
  }

  private get key(): string {
    return `headset-reviews-${this.model.catalogue.corpus}`;
  }

  private read(): Kept {
    try {
      const found = JSON.parse(localStorage.getItem(this.key) ?? "{}") as Partial<Kept>;
      return { reviewer: String(found.reviewer ?? ""), reviews: found.reviews ?? {} };
    } catch {
      return { reviewer: "", reviews: {} };
    }
  }

  private keep(): void {
    try {
      const kept: Kept = { reviewer: this.reviewer.value, reviews: Object.fromEntries(this.entries.value) };
      localStorage.setItem(this.key, JSON.stringify(kept));
      this.unsaved.value = false;
    } catch {
      this.unsaved.value = true;
    }
  }
}
