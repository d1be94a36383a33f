// One clip: played inside its render or its source, frame by frame where wanted, with what was seen above it and all that is known below.

import { useEffect, useState } from "preact/hooks";
import { fileName, number } from "./format";
import { poster } from "./grid";
import type { Model } from "./model";
import type { Reviews, Verdict } from "./reviews";
import { type Controls, Screen } from "./screen";
import { useSignal } from "./signal";
import { Triage } from "./triage";
import type { Alike, Column, Detail } from "./types";

const ALIKE: [Alike, string, string][] = [["face", "similar faces", "h"], ["voice", "similar voices", "v"]];
const SHOWN = 6; // clips beside a button
const SIDE = 52; // pixels of their pictures

interface PlayerProps {
  model: Model;
  reviews: Reviews;
  row: number;
  controls: { current: Controls | null };
}

export function Player({ model, reviews, row, controls }: PlayerProps) {
  const [found, put] = useState<{ row: number; detail: Detail } | null>(null);
  const [clip, name] = useState("");
  const [failed, fail] = useState("");
  useEffect(() => {
    let now = true;
    const told = (error: Error): void => void (now && fail(error.message));
    fail("");
    model.text("clip_id", row).then((id) => now && name(id), told);
    model.detail(row).then((detail) => now && put({ row, detail }), told);
    return () => void (now = false);
  }, [row]);
  const said = useSignal(reviews.entries);
  const detail = found?.row === row ? found.detail : null;
  if (!detail) controls.current = null;
  return (
    <section class="player" aria-label="Clip">
      <div class="told-of" tabIndex={-1}>
        {failed && <p class="empty">{failed}</p>}
        {!detail && !failed && <p class="empty">…</p>}
        {detail && <Shown key={row} model={model} detail={detail} controls={controls} />}
      </div>
      {clip && <Triage key={row} clip={clip} entry={said.get(clip)} say={(verdict, reason, goOn) => void judge(model, reviews, row, verdict, reason, goOn)} />}
    </section>
  );
}

function Shown({ model, detail, controls }: { model: Model; detail: Detail; controls: { current: Controls | null } }) {
  const absent = model.catalogue.served ? "Neither the render of this clip nor its source is at hand." : "This page holds no video of the clip.";
  return (
    <>
      <Title model={model} detail={detail} />
      <Screen detail={detail} controls={controls} absent={absent} />
      <Similar model={model} detail={detail} />
      <Facts model={model} detail={detail} />
    </>
  );
}

/** The clips whose face, or voice, is most like the clip's: a click goes there, a button shows them all as cards. */
function Similar({ model, detail }: { model: Model; detail: Detail }) {
  const kinds = ALIKE.filter(([kind]) => detail.similar?.[kind].length);
  if (!kinds.length) return null;
  return (
    <div class="similar">
      {kinds.map(([kind, text, key]) => (
        <section key={kind} aria-label={text}>
          <div>
            <button onClick={() => void showSimilar(model, kind)} title={key}>{text} <kbd>{key}</kbd></button>
            {detail.same?.[kind] && <p class="scale" title="the cosine from which on `headset identities` takes two faces for one person">one person: ≥ {number(detail.same[kind])}</p>}
          </div>
          {detail.similar?.[kind].slice(0, SHOWN).map(([row, cosine]) => (
            <button key={row} class={`near${detail.same?.[kind] && cosine >= detail.same[kind] ? " same" : ""}`} onClick={() => (model.selected.value = row)} aria-label={`${text}: clip ${row}, cosine ${cosine.toFixed(2)}`}>
              <span style={{ ...poster(model, row, SIDE), width: `${SIDE}px`, height: `${SIDE}px` }} />
              <small>{cosine.toFixed(2)}</small>
            </button>
          ))}
        </section>
      ))}
    </div>
  );
}

/** Lets through the clip that is open and those that are like it; the same again lets all through. */
export async function showSimilar(model: Model, kind: Alike): Promise<void> {
  const row = model.selected.value;
  const name = (ALIKE.find(([one]) => one === kind) as (typeof ALIKE)[number])[1];
  if (model.chosen.value[name]) return model.choose(name, null);
  if (row === null) return;
  const near = (await model.detail(row)).similar?.[kind] ?? [];
  if (near.length && model.selected.value === row) model.choose(name, [row, ...near.map(([one]) => one)]);
}

function Title({ model, detail }: { model: Model; detail: Detail }) {
  const title = detail.source.title || fileName(detail.source.uri);
  return (
    <header>
      <div>
        <h2 dir="auto" title={title}>{title}</h2>
        <code title={detail.source.uri}>{detail.clip.id}</code>
      </div>
      <button onClick={() => (model.selected.value = null)} aria-label="close the clip" title="Esc">×</button>
    </header>
  );
}

/** Says something of a clip, and goes on to the next one that is let through: where the verdict takes this one out, that is the one in its place. */
export async function judge(model: Model, reviews: Reviews, row: number, verdict: Verdict | "", reason: string, goOn: boolean): Promise<void> {
  const clip = await model.text("clip_id", row);
  const before = model.place(row);
  reviews.say(clip, row, verdict, reason);
  if (!goOn) return;
  const place = await before;
  const still = (await model.place(row)) >= 0;
  if (place >= 0 && model.selected.value === row) await select(model, still ? place + 1 : place, row);
}

/** Goes to the clip that is `by` places behind the one that is selected. */
export async function advance(model: Model, by: number): Promise<void> {
  const row = model.selected.value;
  if (row === null) return;
  const place = await model.place(row);
  await select(model, Math.max(0, place + by), row);
}

async function select(model: Model, place: number, from: number): Promise<void> {
  const [next] = await model.window(place, 1);
  if (next !== undefined && model.selected.value === from) model.selected.value = next;
}

const TITLES: Record<string, string> = { scores: "Scores", clips: "Clip", sources: "Source", renders: "Render", annotations: "Annotations", splits: "Split", published: "Published", duplicates: "Duplicates", reviews: "Reviews" };

function Facts({ model, detail }: { model: Model; detail: Detail }) {
  const groups = new Map<string, { column: Column; value: string | number | boolean }[]>();
  for (const [name, value] of detail.facts) {
    const column = model.columns.get(name);
    if (column) groups.set(column.group, [...(groups.get(column.group) ?? []), { column, value }]);
  }
  const order = ["scores", "annotations", "clips", "splits", "published", "sources", "renders"];
  const sorted = [...groups].sort(([a], [b]) => (order.indexOf(a) + 99) % 99 - ((order.indexOf(b) + 99) % 99));
  return (
    <div class="facts">
      {sorted.map(([group, some]) => (
        <details key={group} open={group === "scores" || group === "annotations"}>
          <summary>{TITLES[group] ?? group}</summary>
          <dl>
            {some.map(({ column, value }) => (
              <div key={column.name} title={column.meaning}>
                <dt>{column.name}</dt>
                <dd dir="auto">
                  {typeof value === "number" ? number(value) : String(value)}
                  {typeof value === "number" && column.unit && <small> {column.unit}</small>}
                  {typeof value === "number" && column.kind === "number" && column.high > column.low && <Spot column={column} value={value} />}
                </dd>
              </div>
            ))}
          </dl>
        </details>
      ))}
    </div>
  );
}

/** Where a number lies among those of all clips. */
function Spot({ column, value }: { column: Column; value: number }) {
  const share = Math.max(0, Math.min(1, (value - column.low) / (column.high - column.low)));
  return (
    <span class="spot" aria-hidden="true">
      <i style={{ left: `${100 * share}%` }} />
    </span>
  );
}
