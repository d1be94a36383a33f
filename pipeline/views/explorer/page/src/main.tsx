// The page: what is where, and the keys.

import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { json } from "./data";
import { Facets } from "./facets";
import { condition, count, fileName } from "./format";
import { Grid } from "./grid";
import { LossesView } from "./losses";
import { Model, type View } from "./model";
import { advance, judge, Player, showSimilar } from "./player";
import { GLYPH, Reviews, type Verdict } from "./reviews";
import type { Controls } from "./screen";
import { useSignal } from "./signal";
import { SqlView } from "./sql";
import type { Catalogue } from "./types";

const KEYS: [string, string][] = [
  ["← → ↑ ↓", "from card to card, from the first one"], ["Enter", "open the clip"], ["Esc", "close it"], ["n  b", "next clip, clip before"],
  ["k  x  f", "keep, reject, flag with a reason"], ["u", "take the last verdict back"],
  ["space", "play, pause"], [",  .", "a frame back, a frame on"], ["[  ]", "turn before, next turn"], ["-  =", "slower, faster"],
  ["l", "loop"], ["s", "in the source, in the render"], ["1 2 3 4", "boxes, landmarks, active speaker, words"],
  ["h  v", "clips with a similar face, a similar voice; again: all clips"], ["/", "search"], ["?", "these keys"],
];

function Page({ model, reviews }: { model: Model; reviews: Reviews }) {
  const view = useSignal(model.view);
  const selected = useSignal(model.selected);
  const trouble = useSignal(model.trouble);
  const controls = useRef<Controls | null>(null);
  const [help, showHelp] = useState(false);
  useEffect(() => {
    const key = (event: KeyboardEvent): void => pressed(event, model, reviews, controls.current, () => showHelp((now) => !now));
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  return (
    <div class={`page ${view}${selected !== null && view === "clips" ? " playing" : ""}`}>
      <Top model={model} reviews={reviews} help={() => showHelp(true)} />
      {trouble && <p class="trouble" role="alert">{trouble} <button class="quiet" onClick={() => (model.trouble.value = "")}>dismiss</button></p>}
      {view === "clips" && (
        <>
          <Facets model={model} />
          <main>
            <Shelf model={model} />
            <Grid model={model} reviews={reviews} />
          </main>
          {selected !== null && <Player model={model} reviews={reviews} row={selected} controls={controls} />}
        </>
      )}
      {view === "losses" && <main><LossesView model={model} /></main>}
      {view === "sql" && <main><SqlView model={model} /></main>}
      {help && <Help close={() => showHelp(false)} />}
    </div>
  );
}

function Top({ model, reviews, help }: { model: Model; reviews: Reviews; help: () => void }) {
  const view = useSignal(model.view);
  const passing = useSignal(model.passing);
  const views: [View, string][] = [["clips", "Clips"], ["losses", "Drops"], ...(model.catalogue.served ? [["sql", "SQL"] as [View, string]] : [])];
  return (
    <header class="top">
      <h1 title={model.catalogue.root}>{model.catalogue.title}</h1>
      <nav class="views" aria-label="Views">
        {views.map(([name, text]) => (
          <button key={name} aria-current={view === name ? "page" : undefined} onClick={() => (model.view.value = name)}>{text}</button>
        ))}
      </nav>
      <p class="tally" role="status">
        <b>{count(passing)}</b> {passing === model.catalogue.rows ? "clips" : `of ${count(model.catalogue.rows)} clips`}
      </p>
      <span class="room" />
      <ReviewMenu reviews={reviews} view={view} />
      <button class="quiet" onClick={swapTheme} aria-label="light or dark" title="light or dark">◐</button>
      <button class="quiet" onClick={help} aria-label="keys" title="keys (?)">?</button>
    </header>
  );
}

function ReviewMenu({ reviews, view }: { reviews: Reviews; view: View }) {
  const said = useSignal(reviews.entries);
  const reviewer = useSignal(reviews.reviewer);
  const unsaved = useSignal(reviews.unsaved);
  const tally = reviews.tally();
  const [open, show] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => show(false), [view]);
  useEffect(() => {
    if (!open) return;
    const key = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || (event.target as HTMLElement).closest("dialog")) return;
      event.stopPropagation(); // the clip below the menu stays open
      show(false);
      button.current?.focus();
    };
    addEventListener("keydown", key, true);
    return () => removeEventListener("keydown", key, true);
  }, [open]);
  return (
    <div class="menu">
      {(open || said.size > 0) && (
        <label class="reviewer" title="stands in reviews.json, so that reviews of several people are told apart">
          Reviewer <input value={reviewer} placeholder="your name" maxLength={64} onInput={(event) => reviews.rename(event.currentTarget.value)} />
        </label>
      )}
      <button ref={button} aria-expanded={open} onClick={() => show(!open)} title="what you said of clips">
        {(Object.keys(GLYPH) as Verdict[]).map((verdict) => (
          <span key={verdict} class={verdict}>
            {GLYPH[verdict]} {count(tally[verdict])} <span class="unseen">{verdict}</span>
          </span>
        ))}
      </button>
      {open && (
        <div class="drop">
          {!reviewer && <p class="failed">No reviewer is named: the file will not say whose words these are.</p>}
          <button class="primary" onClick={() => reviews.download()}>Download reviews.json</button>
          <p>Kept in this browser as you go. To have recipes and selections choose by them:</p>
          <code>headset import-reviews CORPUS reviews.json</code>
          <code>headset select CORPUS --where "review = 'keep'" --name NAME</code>
          {unsaved && <p class="failed" role="alert">This browser keeps nothing for this page: download before you close it.</p>}
        </div>
      )}
    </div>
  );
}

/** Order, search and the filters that hold. */
function Shelf({ model }: { model: Model }) {
  const sorted = useSignal(model.sorted);
  const filters = useSignal(model.filters);
  const chosen = useSignal(model.chosen);
  const [copied, copy] = useState(false);
  const numbers = model.catalogue.columns.filter((one) => one.kind === "number" && one.high > one.low);
  const where = model.condition();
  const command = `headset select ${model.catalogue.root} --where "${where.replaceAll('"', '\\"')}" --name NAME`;
  const put = async (): Promise<void> => {
    await toClipboard(command);
    copy(true);
    setTimeout(() => copy(false), 1500);
  };
  return (
    <div class="shelf">
      <Search model={model} />
      <label>
        sort{" "}
        <select value={sorted.name ?? ""} onChange={(event) => void model.sort(event.currentTarget.value || null, sorted.descending)}>
          <option value="">by source and time</option>
          {numbers.map((one) => (
            <option key={one.name} value={one.name}>{one.name}</option>
          ))}
        </select>
      </label>
      <button disabled={sorted.name === null} onClick={() => void model.sort(sorted.name, !sorted.descending)} aria-label={sorted.descending ? "largest first" : "smallest first"}>{sorted.descending ? "↓" : "↑"}</button>
      {Object.entries(filters).map(([name, filter]) => (
        <span class="chip" key={name} dir="auto">
          {condition(model.column(name), filter, 4).slice(0, 90)}
          <button onClick={() => model.filter(name, null)} aria-label={`clear the filter on ${name}`}>×</button>
        </span>
      ))}
      {Object.entries(chosen).map(([name, rows]) => (
        <span class="chip" key={name}>
          {name}: {count(rows)} clips
          <button onClick={() => model.choose(name, null)} aria-label={`clear ${name}`}>×</button>
        </span>
      ))}
      {where && where !== `(${model.catalogue.where})` && <button class="quiet" onClick={() => void put()} title={command}>{copied ? "copied" : "copy as headset select"}</button>}
    </div>
  );
}

async function toClipboard(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

const SEARCHED = ["clip_id", "title", "uri", "channel", "description"];

/** Clips whose id, title, address or channel holds a text. */
function Search({ model }: { model: Model }) {
  const [text, write] = useState("");
  const latest = useRef(0);
  const find = async (wanted: string): Promise<void> => {
    const mine = ++latest.current;
    const needle = wanted.trim().toLowerCase();
    if (!needle) return model.choose("search", null);
    const rows = await rowsWith(model, needle, () => mine === latest.current);
    if (rows && mine === latest.current) model.choose("search", rows);
  };
  return (
    <input
      id="search"
      type="search"
      placeholder="search"
      aria-label="search ids, titles and addresses"
      value={text}
      onInput={(event) => {
        write(event.currentTarget.value);
        void find(event.currentTarget.value).catch((error: Error) => (model.trouble.value = error.message));
      }}
    />
  );
}

async function rowsWith(model: Model, needle: string, wanted: () => boolean): Promise<number[] | null> {
  const { catalogue } = model;
  const found = new Uint8Array(catalogue.rows);
  for (const [number, column] of catalogue.columns.entries()) {
    if (!SEARCHED.includes(column.name)) continue;
    if (column.kind === "word") {
      const codes = column.words.flatMap((word, code) => (fileName(word).toLowerCase().includes(needle) || word.toLowerCase().includes(needle) ? [code] : []));
      if (!codes.length) continue;
      await model.load(column.name);
      const all = (await model.values(Uint32Array.from(found.keys()), [column.name]))[column.name];
      all.forEach((code, row) => {
        if (codes.includes(code)) found[row] = 1;
      });
      continue;
    }
    for (let part = 0; part * catalogue.text_rows < catalogue.rows; part++) {
      (await model.textPart(`${number}-${part}`)).forEach((text, n) => {
        if (text.toLowerCase().includes(needle)) found[part * catalogue.text_rows + n] = 1;
      });
      if (!wanted()) return null;
    }
  }
  return Array.from(found.keys()).filter((row) => found[row]);
}

function Help({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={close} aria-label="Keys">
      <h2>Keys</h2>
      <dl>
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt><kbd>{keys}</kbd></dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button onClick={() => dialog.current?.close()}>close</button>
    </dialog>
  );
}

function swapTheme(): void {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  dispatchEvent(new Event("resize"));
}

let line: Promise<void> = Promise.resolve();

/** Keys act one after the other, however fast they are pressed: each on the clip that the one before has gone to. */
function inTurn(act: () => Promise<void>): void {
  line = line.then(act, act);
}

const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

/** Brings the keyboard to the card that it was at last, at first to the first one. */
function focusCard(): boolean {
  const card = document.querySelector<HTMLElement>('.card[tabindex="0"]');
  card?.focus();
  return card !== null;
}

const VERDICTS: Record<string, Verdict> = { k: "keep", x: "reject", f: "flag" };

function pressed(event: KeyboardEvent, model: Model, reviews: Reviews, player: Controls | null, help: () => void): void {
  const target = event.target as HTMLElement;
  if (event.key === "Escape" && target.matches("input, textarea, select")) return target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select, dialog")) return;
  const open = model.view.value === "clips" ? model.selected.value : null;
  const card = target.closest<HTMLElement>("[data-row]");
  const row = open ?? (card ? Number(card.dataset.row) : null);
  const verdict = VERDICTS[event.key];
  if (event.key === "?") help();
  else if (event.key === "/") document.getElementById("search")?.focus();
  else if (ARROWS.includes(event.key) && model.view.value === "clips") {
    if (target.closest(".grid, .facets, .player") || !focusCard()) return; // these have arrows of their own
  } else if (event.key === "u") model.selected.value = reviews.undo() ?? model.selected.value;
  else if (verdict && row !== null) {
    inTurn(async () => {
      const now = open === null ? row : (model.selected.value ?? row); // the key before may have gone on to the next clip
      await judge(model, reviews, now, verdict, "", open !== null && verdict !== "flag");
      if (verdict !== "flag") return;
      model.selected.value = now;
      requestAnimationFrame(() => document.getElementById("reason")?.focus());
    });
  } else if (open === null) return;
  else if (event.key === "Escape") model.selected.value = null;
  else if (event.key === "n") inTurn(() => advance(model, 1));
  else if (event.key === "b") inTurn(() => advance(model, -1));
  else if (event.key === "h") inTurn(() => showSimilar(model, "face"));
  else if (event.key === "v") inTurn(() => showSimilar(model, "voice"));
  else if (!player) return;
  else if (event.key === " " && !target.closest("button:not(.card), summary, a")) player.toggle();
  else if (event.key === ",") player.step(-1);
  else if (event.key === ".") player.step(1);
  else if (event.key === "[") player.turn(-1);
  else if (event.key === "]") player.turn(1);
  else if (event.key === "-") player.faster(-1);
  else if (event.key === "=" || event.key === "+") player.faster(1);
  else if (event.key === "l") player.loop();
  else if (event.key === "s") player.swap();
  else if (/^[1-4]$/.test(event.key)) player.layer(Number(event.key) - 1);
  else return;
  event.preventDefault();
}

async function main(): Promise<void> {
  const root = document.getElementById("page") as HTMLElement;
  try {
    const catalogue = await json<Catalogue>("catalogue");
    document.title = `${catalogue.title} · headset`;
    const model = new Model(catalogue);
    const reviews = new Reviews(model);
    render(<Page model={model} reviews={reviews} />, root);
    await model.start();
    await reviews.restore();
    performance.mark("ready");
    document.documentElement.dataset.ready = "true";
  } catch (error) {
    root.textContent = `This page cannot be shown: ${(error as Error).message}. Its folder may have been copied in part.`;
  }
}

void main();
