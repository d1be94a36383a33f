// The clips as cards: only those in view are there, whatever number there is.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { fileName, length, middle, number } from "./format";
import { Layout } from "./layout";
import type { Model } from "./model";
import { GLYPH, type Reviews, type Verdict } from "./reviews";
import { useSignal } from "./signal";
import type { Column } from "./types";

const HOVER_MS = 180; // before a card under the pointer plays

interface Card {
  row: number;
  clip: string;
  name: string;
  media: string;
  values: [Column, number][];
}

/** The cards that are there, and the place of the first of them. */
interface Shown {
  first: number;
  cards: Card[];
}

export function Grid({ model, reviews }: { model: Model; reviews: Reviews }) {
  const box = useRef<HTMLDivElement>(null);
  const passing = useSignal(model.passing);
  const revision = useSignal(model.revision);
  const sorted = useSignal(model.sorted);
  const filters = useSignal(model.filters);
  const selected = useSignal(model.selected);
  useSignal(reviews.entries);
  const [size, resize] = useState({ width: 0, height: 0 });
  const [top, scroll] = useState(0);
  const [cards, put] = useState<Shown>({ first: 0, cards: [] });
  const asked = useRef(0);
  const [focused, focus] = useState(0); // the place of the card that the keyboard is at
  const wantFocus = useRef(false);
  const isNew = useRef(true); // until a card has had the keyboard: the first one gets it where nothing else has, so that keys act from the start
  const holdsFocus = useRef(false); // whether the keyboard is in the grid: a card that is drawn anew gets it back
  const before = useRef<number | null>(null); // the clip that was open last

  useLayoutEffect(() => {
    const seen = box.current as HTMLDivElement;
    const observer = new ResizeObserver(() => resize({ width: seen.clientWidth, height: seen.clientHeight }));
    observer.observe(seen);
    return () => observer.disconnect();
  }, []);

  const layout = new Layout(size, passing);
  const { first, count } = layout.shown(top);
  const names = namesOf(model, sorted.name, Object.keys(filters));

  useEffect(() => {
    if (!size.width) return;
    const mine = ++asked.current;
    void cardsOf(model, first, count, names).then((found) => {
      if (mine !== asked.current) return;
      put({ first, cards: found });
      if (!performance.getEntriesByName("first-cards").length) performance.mark("first-cards");
    }, (error: Error) => (model.trouble.value = error.message));
  }, [revision, first, count, size.width, names.join()]);

  useEffect(() => {
    const seen = box.current as HTMLDivElement;
    seen.scrollTop = 0;
    focus(0);
  }, [filters, sorted]);

  // A clip that was chosen elsewhere, such as by a key in the player, comes into view.
  useEffect(() => {
    const closed = selected === null;
    const row = selected ?? before.current;
    before.current = selected;
    if (row === null) return;
    void model.place(row).then((place) => {
      if (place >= 0) reveal(place, closed);
    });
  }, [selected, revision, size.width]);
  useEffect(() => {
    if (holdsFocus.current) reveal(focused, true);
  }, [size.width]);

  function reveal(place: number, grab: boolean): void {
    focus(place);
    wantFocus.current = grab;
    const seen = box.current as HTMLDivElement;
    seen.scrollTop = layout.reveal(place, seen.scrollTop);
  }

  useLayoutEffect(() => {
    if (!wantFocus.current && !((holdsFocus.current || isNew.current) && document.activeElement === document.body)) return;
    const card = box.current?.querySelector<HTMLElement>(`[data-place="${focused}"]`);
    if (card) {
      wantFocus.current = isNew.current = false;
      card.focus({ preventScroll: true });
    }
  });

  const key = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -layout.across, ArrowDown: layout.across, PageUp: -layout.page, PageDown: layout.page }[event.key];
    const to = by !== undefined ? focused + by : event.key === "Home" ? 0 : event.key === "End" ? passing - 1 : undefined;
    if (to === undefined) return;
    event.preventDefault();
    reveal(Math.max(0, Math.min(passing - 1, to)), true);
  };
  const left = (event: FocusEvent): void => {
    const to = event.relatedTarget as Node | null;
    if (to && !(box.current as HTMLDivElement).contains(to)) holdsFocus.current = false;
  };
  const inView = focused >= cards.first && focused < cards.first + cards.cards.length;
  return (
    <div class="grid" ref={box} onScroll={() => scroll((box.current as HTMLDivElement).scrollTop)} onKeyDown={key} onFocusIn={() => (holdsFocus.current = true)} onFocusOut={left} tabIndex={-1}>
      <div role="grid" aria-label="Clips" aria-rowcount={layout.lines} aria-colcount={layout.across} style={{ height: `${layout.height}px` }}>
        {linesOf(cards, layout.across).map(([line, some]) => (
          <div role="row" key={line} aria-rowindex={line + 1} class="line" style={{ transform: `translateY(${layout.place(line, top)}px)`, height: `${layout.tall}px` }}>
            {some.map(({ card, place }) => (
              <CardView
                key={card.row}
                model={model}
                card={card}
                place={place}
                width={layout.cardWidth}
                reachable={place === (inView ? focused : cards.first)}
                selected={card.row === selected}
                verdict={reviews.of(card.clip)?.verdict ?? ""}
                onFocus={() => focus(place)}
              />
            ))}
          </div>
        ))}
      </div>
      {passing === 0 && <p class="empty">No clip is left. Clear a filter to see more.</p>}
    </div>
  );
}

/** The two columns whose numbers stand on cards: what is sorted by, what is brushed, what comes first. */
function namesOf(model: Model, sorted: string | null, filtered: string[]): string[] {
  const wanted = [sorted, ...filtered, ...model.open.value].filter((name) => name !== null && name !== "seconds" && model.column(name)?.kind === "number");
  return [...new Set(wanted as string[])].slice(0, 2);
}

/** Cards with their places, line by line. */
function linesOf({ first, cards }: Shown, across: number): [number, { card: Card; place: number }[]][] {
  const lines = new Map<number, { card: Card; place: number }[]>();
  cards.forEach((card, n) => {
    const line = Math.floor((first + n) / across);
    lines.set(line, [...(lines.get(line) ?? []), { card, place: first + n }]);
  });
  return [...lines];
}

async function cardsOf(model: Model, first: number, wanted: number, names: string[]): Promise<Card[]> {
  const rows = await model.window(first, wanted);
  const shown = ["seconds", ...names].filter((name) => model.ready.value.has(name));
  const values = await model.values(rows, shown);
  const naming = model.columns.has("title") ? ["title", "uri"] : ["uri"];
  return Promise.all(
    Array.from(rows, async (row, n) => {
      const [clip, media, ...named] = await Promise.all(["clip_id", "media", ...naming].map((name) => model.text(name, row)));
      const name = named.find((text) => text !== "") ?? clip;
      const found = shown.filter((one) => values[one]?.[n] !== model.catalogue.missing && values[one]);
      return { row, clip, media, name: named[0] && naming[0] === "title" ? named[0] : fileName(name), values: found.map((one) => [model.column(one), values[one][n]] as [Column, number]) };
    }),
  );
}

interface CardProps {
  model: Model;
  card: Card;
  place: number;
  width: number;
  reachable: boolean;
  selected: boolean;
  verdict: Verdict | "";
  onFocus: () => void;
}

function CardView({ model, card, place, width, reachable, selected, verdict, onFocus }: CardProps) {
  const [hovered, hover] = useState(false);
  const timer = useRef(0);
  const seconds = card.values.find(([column]) => column.name === "seconds");
  const others = card.values.filter(([column]) => column.name !== "seconds");
  const leave = (): void => {
    clearTimeout(timer.current);
    hover(false);
  };
  const side = width - 10;
  return (
    <div role="gridcell" class="cell" style={{ width: `${width}px` }}>
      <button
        class={`card ${verdict}`}
        data-place={place}
        data-row={card.row}
        tabIndex={reachable ? 0 : -1}
        aria-current={selected ? "true" : undefined}
        onFocus={onFocus}
        onClick={() => (model.selected.value = card.row)}
        onPointerEnter={() => (timer.current = window.setTimeout(() => hover(true), HOVER_MS))}
        onPointerLeave={leave}
      >
        <span class="poster" style={{ ...poster(model, card.row, side), height: `${side}px` }}>
          {hovered && card.media && <video src={model.catalogue.render_prefix + card.media} autoplay muted loop playsInline tabIndex={-1} aria-hidden="true" />}
          {seconds && <span class="length">{length(middle(...seconds))}</span>}
          {verdict && <span class="verdict">{GLYPH[verdict]}<span class="unseen"> {verdict}</span></span>}
        </span>
        <span class="name" dir="auto">{card.name.slice(0, 160)}</span>
        <span class="values">
          {others.map(([column, level]) => (
            <span key={column.name}>
              <i>{column.name}</i> {number(middle(column, level))}
            </span>
          ))}
        </span>
      </button>
    </div>
  );
}

/** A clip's picture out of its sheet, as a background. */
export function poster(model: Model, row: number, side: number): Record<string, string> {
  const { sheet, across } = model.catalogue.poster;
  const inside = row % sheet;
  return {
    backgroundImage: `url(sprites/${Math.floor(row / sheet)}.jpg)`,
    backgroundSize: `${across * side}px auto`,
    backgroundPosition: `${-(inside % across) * side}px ${-Math.floor(inside / across) * side}px`,
  };
}
