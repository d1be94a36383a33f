// One clip: played inside its render or its source, frame by frame where wanted, with what was seen above it and all that is known below.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { fileName, moment, number } from "./format";
import { GLYPH } from "./grid";
import type { Model } from "./model";
import { lastAt, type Layers, Overlay } from "./overlay";
import type { Reviews, Verdict } from "./reviews";
import { Signal, useSignal } from "./signal";
import { Timeline } from "./timeline";
import type { Column, Detail, Media } from "./types";

const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2];
const LAYERS: [keyof Layers, string][] = [["boxes", "boxes"], ["landmarks", "landmarks"], ["speaker", "active speaker"], ["words", "words"]];

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

const settings = {
  layers: new Signal<Layers>({ boxes: true, landmarks: false, speaker: true, words: true }),
  speed: new Signal(1),
  loop: new Signal(true),
  media: new Signal<"render" | "source">("render"),
};

export function Player({ model, reviews, row, controls }: { model: Model; reviews: Reviews; row: number; controls: { current: Controls | null } }) {
  const [detail, put] = useState<Detail | null>(null);
  const [failed, fail] = useState("");
  useEffect(() => {
    let now = true;
    fail("");
    model.detail(row).then((found) => now && put(found), (error: Error) => now && fail(error.message));
    return () => void (now = false);
  }, [row]);
  const close = (): void => void (model.selected.value = null);
  return (
    <section class="player" aria-label="Clip">
      {failed && <p class="empty">{failed}</p>}
      {!detail && !failed && <p class="empty">…</p>}
      {detail && <Shown key={detail.clip.id} model={model} reviews={reviews} row={row} detail={detail} controls={controls} close={close} />}
    </section>
  );
}

interface ShownProps {
  model: Model;
  reviews: Reviews;
  row: number;
  detail: Detail;
  controls: { current: Controls | null };
  close: () => void;
}

function Shown({ model, reviews, row, detail, controls, close }: ShownProps) {
  const wanted = useSignal(settings.media);
  const layers = useSignal(settings.layers);
  const speed = useSignal(settings.speed);
  const loop = useSignal(settings.loop);
  const media = detail.media.find((one) => one.name === wanted) ?? detail.media[0];
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<Overlay | null>(null);
  const readout = useRef<HTMLOutputElement>(null);
  const clock = useMemo(() => new Signal(detail.clip.start), [detail]);
  const [playing, play] = useState(false);
  const [broken, breakDown] = useState("");
  const from = media ? detail.clip.start - media.offset : 0; // of the clip, on the video's clock
  const to = media ? detail.clip.end - media.offset : 0;

  const show = (time: number): void => {
    if (!media) return;
    clock.value = time + media.offset;
    overlay.current?.draw(media, clock.value, settings.layers.value);
    const at = lastAt(media.times, time + 1e-4);
    if (readout.current) readout.current.textContent = `${moment(clock.value)}${at >= 0 ? `   frame ${at + 1 - Math.max(0, lastAt(media.times, from + 1e-4))}` : ""}`;
  };
  useEffect(() => {
    const seen = video.current;
    if (!seen || !canvas.current || !media) return;
    overlay.current = new Overlay(canvas.current, seen);
    overlay.current.show(detail);
    let live = true;
    const frame = (_: number, told: VideoFrameCallbackMetadata): void => {
      if (!live) return;
      show(told.mediaTime);
      if (!seen.paused && told.mediaTime >= to - 1e-3 && media.name === "source") restart();
      seen.requestVideoFrameCallback(frame);
    };
    const restart = (): void => {
      if (settings.loop.value) seen.currentTime = from + 1e-3;
      else seen.pause();
    };
    const checked = (): void => {
      if (media.name === "source" && !seen.paused && seen.currentTime >= to) restart();
    };
    const observer = new ResizeObserver(() => show(clock.value - media.offset));
    observer.observe(canvas.current);
    seen.addEventListener("timeupdate", checked);
    seen.requestVideoFrameCallback(frame);
    const begin = Math.max(from, Math.min(to - 0.01, clock.value - media.offset));
    const start = (): void => {
      seen.playbackRate = settings.speed.value;
      seen.currentTime = begin + 1e-3;
      seen.play().catch(() => play(false));
    };
    if (seen.readyState >= 1) start();
    else seen.addEventListener("loadedmetadata", start, { once: true });
    return () => {
      live = false;
      observer.disconnect();
      seen.removeEventListener("timeupdate", checked);
    };
  }, [detail, media]);
  useEffect(() => {
    if (video.current) video.current.playbackRate = speed;
  }, [speed]);
  useEffect(() => show(clock.value - (media?.offset ?? 0)), [layers]);

  const seek = (time: number): void => {
    const seen = video.current;
    if (!seen || !media) return;
    const at = time - media.offset;
    seen.currentTime = media.name === "render" ? Math.max(0, Math.min(to - 0.001, at)) : Math.max(0, at);
  };
  controls.current = {
    toggle: () => void (video.current?.paused ? video.current.play().catch(() => play(false)) : video.current?.pause()),
    step: (by) => {
      const seen = video.current;
      if (!seen || !media?.times.length) return;
      seen.pause();
      const now = lastAt(media.times, clock.value - media.offset + 1e-4);
      const next = Math.max(0, Math.min(media.times.length - 1, now + by));
      const gap = next + 1 < media.times.length ? media.times[next + 1] - media.times[next] : 0.02;
      seen.currentTime = media.times[next] + Math.min(gap / 2, 0.02);
    },
    faster: (by) => (settings.speed.value = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, SPEEDS.indexOf(settings.speed.value) + by))]),
    loop: () => (settings.loop.value = !settings.loop.value),
    swap: () => (settings.media.value = media?.name === "render" && detail.media.length > 1 ? "source" : "render"),
    layer: (number) => {
      const name = LAYERS[number]?.[0];
      if (name) settings.layers.value = { ...settings.layers.value, [name]: !settings.layers.value[name] };
    },
    turn: (by) => {
      const starts = [...new Set([detail.clip.start, ...(detail.lanes.find((lane) => lane.kind === "voices")?.spans ?? []).map((span) => span[0])])].sort((a, b) => a - b);
      const at = by > 0 ? starts.find((start) => start > clock.value + 0.05) : starts.reverse().find((start) => start < clock.value - 0.3);
      if (at !== undefined) seek(Math.max(at, media?.name === "render" ? detail.clip.start : at));
    },
  };
  const title = detail.source.title || fileName(detail.source.uri);
  return (
    <>
      <header>
        <div>
          <h2 dir="auto" title={title.slice(0, 4000)}>{title}</h2>
          <code title={detail.source.uri}>{detail.clip.id}</code>
        </div>
        <button onClick={close} aria-label="close the clip" title="Esc">×</button>
      </header>
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
            onPlay={() => play(true)}
            onPause={() => play(false)}
            onError={() => breakDown("This browser cannot play the file.")}
          />
          <canvas ref={canvas} aria-hidden="true" onClick={() => controls.current?.toggle()} />
          {broken && <p class="empty">{broken}</p>}
        </div>
      ) : (
        <p class="screen empty">No video of this clip is at hand: {model.catalogue.served ? "neither its render nor its source" : "write the page with --media all, or run the recipe to its renders"}.</p>
      )}
      <Bar controls={controls} detail={detail} media={media} playing={playing} layers={layers} speed={speed} loop={loop} readout={readout} />
      {media && <Timeline detail={detail} media={media} seek={seek} clock={clock} />}
      <Triage model={model} reviews={reviews} clip={detail.clip.id} row={row} />
      <Facts model={model} detail={detail} />
    </>
  );
}

interface BarProps {
  controls: { current: Controls | null };
  detail: Detail;
  media: Media | undefined;
  playing: boolean;
  layers: Layers;
  speed: number;
  loop: boolean;
  readout: preact.RefObject<HTMLOutputElement | null>;
}

function Bar({ controls, detail, media, playing, layers, speed, loop, readout }: BarProps) {
  const there: Record<keyof Layers, boolean> = { boxes: detail.tracks.length > 0, landmarks: detail.landmarks !== null, speaker: detail.active.length > 0, words: detail.words.length > 0 };
  return (
    <div class="controls" role="toolbar" aria-label="Playback">
      <button onClick={() => controls.current?.toggle()} aria-label={playing ? "pause" : "play"} title="space">{playing ? "❚❚" : "▶"}</button>
      <button onClick={() => controls.current?.step(-1)} aria-label="one frame back" title=",">‹</button>
      <button onClick={() => controls.current?.step(1)} aria-label="one frame on" title=".">›</button>
      <output ref={readout} aria-live="off" />
      <span class="room" />
      <select aria-label="speed" value={String(speed)} onChange={(event) => (settings.speed.value = Number(event.currentTarget.value))}>
        {SPEEDS.map((one) => (
          <option key={one} value={String(one)}>{one} ×</option>
        ))}
      </select>
      <button aria-pressed={loop} onClick={() => controls.current?.loop()} title="l">loop</button>
      {detail.media.length > 1 && (
        <button onClick={() => controls.current?.swap()} title="s">{media?.name === "render" ? "in source" : "in render"}</button>
      )}
      <span class="layers" role="group" aria-label="Overlays">
        {LAYERS.map(([name, text], n) => (
          <button key={name} aria-pressed={layers[name] && there[name]} disabled={!there[name]} onClick={() => controls.current?.layer(n)} title={`${n + 1}`}>{text}</button>
        ))}
      </span>
    </div>
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
