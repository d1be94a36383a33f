// One clip: played inside its render or its source, frame by frame where wanted, with what was seen above it and all that is known below.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { fileName, moment, number } from "./format";
import { GLYPH } from "./grid";
import type { Model } from "./model";
import type { Layers } from "./overlay";
import { faster, LAYERS, Playback, settings, SPEEDS, swapLayer } from "./playback";
import type { Reviews, Verdict } from "./reviews";
import { Signal, useSignal } from "./signal";
import { Timeline } from "./timeline";
import type { Column, Detail, Media } from "./types";

/** What the keys of the whole page ask of the player. */
export interface Controls {
  toggle(): void;
  step(by: number): void;
  faster(by: number): void;
  loop(): void;
  swap(): void;
  layer(number: number): void;
  turn(by: number): void;
}

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
  const detail = found?.row === row ? found.detail : null;
  if (!detail) controls.current = null;
  return (
    <section class="player" aria-label="Clip">
      <div class="told-of" tabIndex={-1}>
        {failed && <p class="empty">{failed}</p>}
        {!detail && !failed && <p class="empty">…</p>}
        {detail && <Shown key={row} model={model} detail={detail} controls={controls} />}
      </div>
      {clip && <Triage key={row} model={model} reviews={reviews} clip={clip} row={row} />}
    </section>
  );
}

function Shown({ model, detail, controls }: { model: Model; detail: Detail; controls: { current: Controls | null } }) {
  const wanted = useSignal(settings.media);
  const loop = useSignal(settings.loop);
  const media = detail.media.find((one) => one.name === wanted) ?? detail.media[0];
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const clock = useMemo(() => new Signal(detail.clip.start), [detail]);
  const [playback, hold] = useState<Playback | null>(null);
  const [broken, breakDown] = useState("");
  useEffect(() => {
    if (!video.current || !canvas.current || !media) return;
    const made = new Playback(detail, media, video.current, canvas.current, clock);
    hold(made);
    return () => made.end();
  }, [detail, media]);
  controls.current = playback && controlsOf(playback, detail);
  return (
    <>
      <Title model={model} detail={detail} />
      {media ? (
        <div class={`screen ${media.name}`}>
          <video
            ref={video}
            key={media.file}
            src={media.file}
            loop={media.name === "render" && loop}
            playsInline
            preload="auto"
            aria-label="the clip"
            onError={() => breakDown("This browser cannot play the file.")}
          />
          <canvas ref={canvas} aria-hidden="true" onClick={() => playback?.toggle()} />
          {broken && <p class="empty">{broken}</p>}
        </div>
      ) : (
        <p class="screen empty">{model.catalogue.served ? "Neither the render of this clip nor its source is at hand." : "This page holds no video of the clip."}</p>
      )}
      {playback && media && <Bar controls={controls} playback={playback} detail={detail} media={media} />}
      {media && <Timeline detail={detail} media={media} seek={(moment) => playback?.seek(moment)} clock={clock} />}
      <Facts model={model} detail={detail} />
    </>
  );
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

function controlsOf(playback: Playback, detail: Detail): Controls {
  return {
    toggle: () => playback.toggle(),
    step: (by) => playback.step(by),
    turn: (by) => playback.turn(by),
    faster,
    layer: swapLayer,
    loop: () => (settings.loop.value = !settings.loop.value),
    swap: () => (settings.media.value = settings.media.value === "render" && detail.media.length > 1 ? "source" : "render"),
  };
}

interface BarProps {
  controls: { current: Controls | null };
  playback: Playback;
  detail: Detail;
  media: Media;
}

function Bar({ controls, playback, detail, media }: BarProps) {
  const playing = useSignal(playback.playing);
  const layers = useSignal(settings.layers);
  const speed = useSignal(settings.speed);
  const loop = useSignal(settings.loop);
  const there: Record<keyof Layers, boolean> = { boxes: detail.tracks.length > 0, landmarks: detail.landmarks !== null, speaker: detail.active.length > 0, words: detail.words.length > 0 };
  return (
    <div class="controls" role="toolbar" aria-label="Playback">
      <button onClick={() => controls.current?.toggle()} aria-label={playing ? "pause" : "play"} title="space">{playing ? "❚❚" : "▶"}</button>
      <button onClick={() => controls.current?.step(-1)} aria-label="one frame back" title=",">‹</button>
      <button onClick={() => controls.current?.step(1)} aria-label="one frame on" title=".">›</button>
      <Readout playback={playback} />
      <span class="room" />
      <select aria-label="speed" value={String(speed)} onChange={(event) => (settings.speed.value = Number(event.currentTarget.value))}>
        {SPEEDS.map((one) => (
          <option key={one} value={String(one)}>{one} ×</option>
        ))}
      </select>
      <button aria-pressed={loop} onClick={() => controls.current?.loop()} title="l">loop</button>
      {detail.media.length > 1 && <button onClick={() => controls.current?.swap()} title="s">{media.name === "render" ? "in source" : "in render"}</button>}
      <span class="layers" role="group" aria-label="Overlays">
        {LAYERS.map(([name, text], n) => (
          <button key={name} aria-pressed={layers[name] && there[name]} disabled={!there[name]} onClick={() => controls.current?.layer(n)} title={`${n + 1}`}>{text}</button>
        ))}
      </span>
    </div>
  );
}

function Readout({ playback }: { playback: Playback }) {
  const time = useSignal(playback.clock);
  const frame = useSignal(playback.frame);
  return (
    <output aria-live="off">
      {moment(time)} <small>frame {frame}</small>
    </output>
  );
}

const REASONS = ["wrong speaker", "out of sync", "not frontal", "occluded", "bad sound", "bad crop"];

function Triage({ model, reviews, clip, row }: { model: Model; reviews: Reviews; clip: string; row: number }) {
  const entry = useSignal(reviews.entries).get(clip);
  const input = useRef<HTMLInputElement>(null);
  const said = (): string => input.current?.value ?? "";
  return (
    <form
      class="triage"
      aria-label="Review"
      onSubmit={(event) => {
        event.preventDefault();
        void judge(model, reviews, row, entry?.verdict || "flag", said(), true);
        input.current?.blur();
      }}
    >
      {(["keep", "reject", "flag"] as Verdict[]).map((verdict) => (
        <button key={verdict} type="button" class={verdict} aria-pressed={entry?.verdict === verdict} onClick={() => void judge(model, reviews, row, entry?.verdict === verdict ? "" : verdict, said(), false)}>
          {GLYPH[verdict]} {verdict} <kbd>{{ keep: "k", reject: "x", flag: "f" }[verdict]}</kbd>
        </button>
      ))}
      <input ref={input} id="reason" list="reasons" placeholder="reason" aria-label="reason" maxLength={500} value={entry?.reason ?? ""} key={clip} />
      <datalist id="reasons">{REASONS.map((one) => <option key={one} value={one} />)}</datalist>
    </form>
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
