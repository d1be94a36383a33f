// Histograms and words that brush one another.

import { useEffect, useRef, useState } from "preact/hooks";
import { count, number, valueAt } from "./format";
import type { Model } from "./model";
import { useSignal } from "./signal";
import type { Column } from "./types";

const LEVELS = 65535;
const HEIGHT = 46;
const FEW = 8; // words that are shown before more are asked for
const MOST = 200;
const GROUPS: [string, string][] = [
  ["review", "Review"],
  ["scores", "Scores"],
  ["clips", "Clip"],
  ["sources", "Source"],
  ["annotations", "Annotations"],
  ["renders", "Render"],
];

export function Facets({ model }: { model: Model }) {
  const open = useSignal(model.open);
  return (
    <nav class="facets" aria-label="Filters">
      <WordFacet model={model} column={model.column("review")} />
      {open.map((name) => {
        const column = model.column(name);
        return column.kind === "number" ? <Histogram key={name} model={model} column={column} /> : <WordFacet key={name} model={model} column={column} />;
      })}
      <Chooser model={model} />
    </nav>
  );
}

function Heading({ model, column, children }: { model: Model; column: Column; children?: preact.ComponentChildren }) {
  const filtered = column.name in useSignal(model.filters);
  return (
    <header>
      <h3 title={[column.meaning, column.range && `range ${column.range}`, column.better && `${column.better} is better`].filter(Boolean).join("; ")}>
        {column.name}
        {column.unit && <small> {column.unit}</small>}
      </h3>
      {children}
      {filtered && (
        <button class="quiet" onClick={() => model.filter(column.name, null)} aria-label={`clear the filter on ${column.name}`}>
          clear
        </button>
      )}
      {!filtered && column.group !== "review" && (
        <button class="quiet shut" onClick={() => model.toggle(column.name)} aria-label={`hide ${column.name}`}>
          ×
        </button>
      )}
    </header>
  );
}

function Histogram({ model, column }: { model: Model; column: Column }) {
  const ready = useSignal(model.ready).has(column.name);
  const counts = useSignal(model.counts)[column.name];
  const filter = useSignal(model.filters)[column.name];
  const range: [number, number] = filter && "range" in filter ? filter.range : [0, LEVELS];
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (canvas.current) draw(canvas.current, column.counts, counts, filter ? range : null);
  });

  const set = (from: number, to: number): void => {
    const low = Math.max(0, Math.min(from, to));
    const high = Math.min(LEVELS, Math.max(from, to));
    model.filter(column.name, low <= 0 && high >= LEVELS ? null : { range: [low, Math.max(high, low + 1)] });
  };
  const drag = (down: PointerEvent): void => {
    if (!ready || !box.current) return;
    const area = box.current.getBoundingClientRect();
    const levelAt = (event: PointerEvent): number => Math.round(Math.max(0, Math.min(1, (event.clientX - area.left) / area.width)) * BINS) * (LEVELS + 1) / BINS;
    const began = Math.min(LEVELS, levelAt(down));
    const handle = (down.target as HTMLElement).dataset.end;
    const held = handle === "low" ? range[1] : handle === "high" ? range[0] : began;
    const inside = !handle && filter !== undefined && began > range[0] && began < range[1];
    box.current.setPointerCapture(down.pointerId);
    const moved = (event: PointerEvent): void => {
      const now = Math.min(LEVELS, levelAt(event));
      if (inside) {
        const by = Math.max(-range[0], Math.min(LEVELS - range[1], now - began));
        set(range[0] + by, range[1] + by);
      } else if (now !== held || handle) set(held, now);
    };
    const target = box.current;
    const ended = (): void => {
      target.removeEventListener("pointermove", moved);
      target.removeEventListener("pointerup", ended);
      target.removeEventListener("pointercancel", ended);
    };
    target.addEventListener("pointermove", moved);
    target.addEventListener("pointerup", ended);
    target.addEventListener("pointercancel", ended);
  };
  const key = (event: KeyboardEvent, end: "low" | "high"): void => {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -8, PageUp: 8 }[event.key];
    const place = end === "low" ? 0 : 1;
    let to = step === undefined ? undefined : range[place] + (step * (LEVELS + 1)) / BINS;
    if (event.key === "Home") to = 0;
    if (event.key === "End") to = LEVELS;
    if (event.key === "Escape" && filter) model.filter(column.name, null);
    else if (to === undefined) return;
    else if (end === "low") set(Math.min(to, range[1] - 1), range[1]);
    else set(range[0], Math.max(to, range[0] + 1));
    event.preventDefault();
    event.stopPropagation();
  };
  const ends: ["low" | "high", number][] = [["low", range[0]], ["high", range[1]]];
  return (
    <section class={`facet${ready ? "" : " loading"}`} aria-label={column.name}>
      <Heading model={model} column={column}>
        <output>{filter ? `${number(valueAt(column, range[0]))} to ${number(valueAt(column, range[1]))}` : ""}</output>
      </Heading>
      <div class="histogram" ref={box} onPointerDown={drag} onDblClick={() => model.filter(column.name, null)}>
        <canvas ref={canvas} aria-hidden="true" />
        {ends.map(([end, level]) => (
          <div
            key={end}
            class={`handle ${end}`}
            data-end={end}
            role="slider"
            tabIndex={0}
            aria-label={`${column.name}, ${end === "low" ? "from" : "to"}`}
            aria-valuemin={column.low}
            aria-valuemax={column.high}
            aria-valuenow={valueAt(column, level)}
            aria-valuetext={`${number(valueAt(column, level))} ${column.unit}`}
            style={{ left: `${(100 * level) / LEVELS}%` }}
            onKeyDown={(event) => key(event, end)}
          />
        ))}
      </div>
      <footer>
        <span>{column.clipped_low ? "≤ " : ""}{number(column.low)}</span>
        {column.missing > 0 && <span title="clips without a value; a brush leaves them out">{count(column.missing)} without</span>}
        <span>{column.clipped_high ? "≥ " : ""}{number(column.high)}</span>
      </footer>
    </section>
  );
}

const BINS = 64;

function draw(canvas: HTMLCanvasElement, all: number[], now: Uint32Array | undefined, range: [number, number] | null): void {
  const scale = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  if (canvas.width !== Math.round(width * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(HEIGHT * scale);
  }
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const style = getComputedStyle(canvas);
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, HEIGHT);
  const bars = (counts: ArrayLike<number>, most: number, colour: string, dimmed: string): void => {
    for (let bin = 0; bin < BINS; bin++) {
      if (!counts[bin]) continue;
      const inside = !range || ((bin + 0.5) * 1024 >= range[0] && (bin + 0.5) * 1024 < range[1]);
      pen.fillStyle = inside ? colour : dimmed;
      const height = Math.max(1.5, (counts[bin] / most) * (HEIGHT - 3));
      const left = (bin * width) / BINS;
      pen.fillRect(left, HEIGHT - height, Math.max(1, width / BINS - 1), height);
    }
  };
  let most = 1;
  for (let bin = 0; bin < BINS; bin++) most = Math.max(most, all[bin] ?? 0);
  const [accent, faint, ghost] = ["--bar", "--bar-dim", "--bar-all"].map((name) => style.getPropertyValue(name));
  bars(all, most, ghost, ghost);
  if (now) {
    let largest = 1; // what is left is drawn on its own scale where it would be a line at the bottom
    for (let bin = 0; bin < BINS; bin++) largest = Math.max(largest, now[bin]);
    bars(now, largest < most / 12 ? largest * 2 : most, accent, faint);
  }
  if (range) {
    pen.fillStyle = style.getPropertyValue("--accent");
    pen.fillRect((range[0] / LEVELS) * width, HEIGHT - 1.5, ((range[1] - range[0]) / LEVELS) * width, 1.5);
  }
}

const GLYPHS: Record<string, string> = { keep: "✓ ", reject: "✕ ", flag: "⚑ ", none: "· " };

function WordFacet({ model, column }: { model: Model; column: Column }) {
  const counts = useSignal(model.counts)[column.name];
  const filter = useSignal(model.filters)[column.name];
  const [shown, show] = useState(FEW);
  const chosen = filter && "codes" in filter ? filter.codes : [];
  const size = column.words.length + (column.missing > 0 ? 1 : 0);
  const most = Math.max(1, ...column.counts);
  const pick = (code: number): void => {
    const codes = chosen.includes(code) ? chosen.filter((one) => one !== code) : [...chosen, code];
    model.filter(column.name, codes.length ? { codes } : null);
  };
  return (
    <section class="facet" aria-label={column.name}>
      <Heading model={model} column={column} />
      <ul>
        {Array.from({ length: Math.min(size, shown) }, (_, code) => {
          const word = code < column.words.length ? column.words[code] : "none";
          const now = counts ? counts[code] : (column.counts[code] ?? column.missing);
          return (
            <li key={code}>
              <button class={`word ${column.group === "review" ? word : ""}`} aria-pressed={chosen.includes(code)} onClick={() => pick(code)} title={word}>
                <span class="bar" style={{ width: `${Math.max(now ? 2 : 0, (100 * now) / Math.max(most, column.missing))}%` }} />
                <span class={code < column.words.length ? "text" : "text absent"} dir="auto">{column.group === "review" ? GLYPHS[word] + (word === "none" ? "not reviewed" : word) : word.slice(0, 120)}</span>
                <span class="count">{count(now)}</span>
              </button>
            </li>
          );
        })}
      </ul>
      {size > shown && shown < MOST && (
        <button class="quiet more" onClick={() => show(Math.min(MOST, shown * 4))}>
          {count(size - shown)} more
        </button>
      )}
    </section>
  );
}

/** Which histograms are open. */
function Chooser({ model }: { model: Model }) {
  const open = useSignal(model.open);
  const there = model.catalogue.columns.filter((one) => one.kind !== "text" && one.group !== "review");
  const known = new Set(GROUPS.map(([group]) => group));
  const groups = [...GROUPS, ["", "Other"] as [string, string]];
  return (
    <details class="chooser">
      <summary>Columns</summary>
      {groups.map(([group, title]) => {
        const mine = there.filter((one) => (group ? one.group === group : !known.has(one.group)));
        if (!mine.length) return null;
        return (
          <fieldset key={title}>
            <legend>{title}</legend>
            {mine.map((one) => (
              <label key={one.name} title={one.meaning}>
                <input type="checkbox" checked={open.includes(one.name)} onChange={() => model.toggle(one.name)} />
                {one.name}
              </label>
            ))}
          </fieldset>
        );
      })}
    </details>
  );
}
