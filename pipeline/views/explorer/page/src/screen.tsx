// A clip that plays: the video with what was seen above it, its controls, and the time axis below.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { moment } from "./format";
import type { Layers } from "./overlay";
import { faster, LAYERS, Playback, settings, SPEEDS, swapLayer } from "./playback";
import { Signal, useSignal } from "./signal";
import { Timeline } from "./timeline";
import type { Detail, Media } from "./types";

/** What the keys of a page ask of its player. */
export interface Controls {
  toggle(): void;
  step(by: number): void;
  faster(by: number): void;
  loop(): void;
  swap(): void;
  layer(number: number): void;
  turn(by: number): void;
}

interface ScreenProps {
  detail: Detail;
  controls: { current: Controls | null };
  absent: string; // what is told where there is no video
  still?: boolean; // whether it waits to be played
}

export function Screen({ detail, controls, absent, still = false }: ScreenProps) {
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
    const made = new Playback(detail, media, video.current, canvas.current, clock, still);
    hold(made);
    return () => made.end();
  }, [detail, media]);
  controls.current = playback && controlsOf(playback, detail);
  return (
    <>
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
        <p class="screen empty">{absent}</p>
      )}
      {playback && media && <Bar controls={controls} playback={playback} detail={detail} media={media} />}
      {media && <Timeline detail={detail} media={media} seek={(moment) => playback?.seek(moment)} clock={clock} />}
    </>
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
