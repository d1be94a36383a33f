// The seconds around a clip, a lane for each thing that was seen or heard.

import { useEffect, useMemo, useRef } from "preact/hooks";
import { bytesOf } from "./data";
import { moment } from "./format";
import type { Detail, Media } from "./types";

const LANE = 18;
const NAMES = 92; // pixels of the lanes' names
const PEAK_S = 0.02;

interface Lane {
  name: string;
  kind: string;
  spans: [number, number, string][];
  path?: string; // of a curve, in a box of 1000 x LANE
}

interface Props {
  detail: Detail;
  media: Media;
  seek: (time: number) => void; // a moment of the source
  clock: { value: number; follow: (follower: () => void) => () => void };
}

export function Timeline({ detail, media, seek, clock }: Props) {
  const from = detail.clip.start - 3;
  const to = detail.clip.end + 3;
  const x = (time: number): number => (1000 * (Math.max(from, Math.min(to, time)) - from)) / (to - from);
  const lanes = useMemo(() => lanesOf(detail, x), [detail]);
  const head = useRef<HTMLDivElement>(null);
  const area = useRef<HTMLDivElement>(null);
  const step = [0.5, 1, 2, 5, 10, 30, 60, 300].find((one) => (to - from) / one <= 9) ?? 600;
  const ticks = Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, n) => Math.ceil(from / step) * step + n * step).filter((tick) => tick < to);

  useEffect(() => {
    const place = (): void => {
      if (head.current) head.current.style.left = `${x(clock.value) / 10}%`;
      area.current?.setAttribute("aria-valuenow", clock.value.toFixed(3));
      area.current?.setAttribute("aria-valuetext", `${moment(clock.value)} of ${moment(detail.clip.end)}`);
    };
    place();
    return clock.follow(place);
  }, [detail, clock]);

  const point = (event: PointerEvent): void => {
    const box = (area.current as HTMLDivElement).getBoundingClientRect();
    seek(from + (Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * (to - from)));
  };
  const key = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -0.25, ArrowRight: 0.25, PageUp: 1, PageDown: -1 }[event.key];
    if (by !== undefined) seek(clock.value + by);
    else if (event.key === "Home") seek(detail.clip.start);
    else if (event.key === "End") seek(detail.clip.end - 0.05);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="timeline" style={{ "--names": `${NAMES}px` }}>
      <ol class="names">
        {lanes.map((lane) => (
          <li key={lane.name} style={{ height: `${LANE}px` }} title={lane.name}>{lane.name}</li>
        ))}
      </ol>
      <div
        class="lanes"
        ref={area}
        role="slider"
        tabIndex={0}
        aria-label="Position"
        aria-valuemin={+from.toFixed(3)}
        aria-valuemax={+to.toFixed(3)}
        onKeyDown={key}
        onPointerDown={(event) => {
          point(event);
          const target = event.currentTarget as HTMLElement;
          target.setPointerCapture(event.pointerId);
          target.onpointermove = point;
          target.onpointerup = target.onpointercancel = () => (target.onpointermove = null);
        }}
      >
        <div class="outside" style={{ left: 0, width: `${x(detail.clip.start) / 10}%` }} />
        <div class="outside" style={{ left: `${x(detail.clip.end) / 10}%`, right: 0 }} />
        {lanes.map((lane) => (
          <div key={lane.name} class={`lane ${lane.kind}`} style={{ height: `${LANE}px` }}>
            {lane.path !== undefined && (
              <svg viewBox={`0 0 1000 ${LANE}`} preserveAspectRatio="none" aria-hidden="true">
                <path d={lane.path} />
              </svg>
            )}
            {lane.spans.map(([start, end, text], n) => (
              <span key={n} class="span" style={{ left: `${x(start) / 10}%`, width: `${Math.max(0.15, (x(end) - x(start)) / 10)}%` }} title={`${text}  ${moment(start)} to ${moment(end)}`}>
                {text}
              </span>
            ))}
          </div>
        ))}
        {ticks.map((tick) => (
          <span key={tick} class="tick" style={{ left: `${x(tick) / 10}%` }}>{tick < 60 ? `${+tick.toFixed(1)} s` : moment(tick).replace(/\.000$/, "")}</span>
        ))}
        <div class="head" ref={head} />
        {media.name === "render" && <div class="frame" style={{ left: `${x(detail.clip.start) / 10}%`, width: `${(x(detail.clip.end) - x(detail.clip.start)) / 10}%` }} />}
      </div>
    </div>
  );
}

function lanesOf(detail: Detail, x: (time: number) => number): Lane[] {
  const of = (kind: string): [number, number, string][] => detail.lanes.find((lane) => lane.kind === kind)?.spans ?? [];
  const found: Lane[] = [{ name: "shots", kind: "shots", spans: of("shots").map(([start, end, id]) => [start, end, id]) }];
  for (const track of new Map(of("faces").map((span) => [span[2], span])).keys()) {
    const spans = of("faces").filter((span) => span[2] === track);
    const own = detail.clip.track.endsWith(`/${track}`);
    found.push({ name: `face ${track}${own ? " ★" : ""}`, kind: own ? "face own" : "face", spans: spans.map(([start, end]) => [start, end, ""]) });
    const mine = detail.active.filter((one) => one.track.endsWith(`/${track}`));
    const path = mine.map((one) => curve(one.score.map((score, n) => [one.start + n * one.step, score]), x)).join("");
    if (path) found.push({ name: `${track} speaks`, kind: "active", spans: [], path });
  }
  for (const voice of [...new Set(of("voices").map((span) => span[2]))].sort()) {
    const own = voice === detail.clip.speaker;
    found.push({ name: `${voice}${own ? " ★" : ""}`, kind: own ? "voice own" : "voice", spans: of("voices").filter((span) => span[2] === voice).map(([start, end]) => [start, end, ""]) });
  }
  const peaks = detail.media.find((one) => one.name === "render")?.peaks;
  if (peaks) found.push({ name: "sound", kind: "sound", spans: [], path: envelope(bytesOf(peaks), detail.clip.start, x) });
  if (detail.words.length) found.push({ name: "words", kind: "words", spans: detail.words.map(([start, end, text]) => [start, end, text]) });
  found.push({ name: "clips", kind: "cut", spans: of("clips").map(([start, end, id]) => [start, end, id === detail.clip.id ? "this clip" : ""]) });
  return found;
}

/** A score about 0 as an area: above the middle it speaks. */
function curve(points: [number, number][], x: (time: number) => number): string {
  const middle = LANE / 2;
  const seen = points.filter(([time], n) => x(time) > 0 && (x(time) < 1000 || n === 0));
  if (!seen.length) return "";
  const y = (score: number): number => middle - Math.max(-1, Math.min(1, score / 3)) * (middle - 1);
  const line = seen.map(([time, score]) => `L${x(time).toFixed(1)},${y(score).toFixed(1)}`).join("");
  return `M${x(seen[0][0]).toFixed(1)},${middle}${line}L${x(seen[seen.length - 1][0]).toFixed(1)},${middle}Z`;
}

function envelope(peaks: Uint8Array, start: number, x: (time: number) => number): string {
  const half = LANE / 2;
  const at = (n: number): number => x(start + n * PEAK_S);
  let top = "";
  let bottom = "";
  peaks.forEach((peak, n) => {
    const size = Math.max(0.4, Math.sqrt(peak / 255) * (half - 1));
    top += `L${at(n).toFixed(1)},${(half - size).toFixed(1)}`;
    bottom = `L${at(n).toFixed(1)},${(half + size).toFixed(1)}${bottom}`;
  });
  return `M${at(0).toFixed(1)},${half}${top}${bottom}Z`;
}
