// A clip that plays, inside its render or its source: what moment is shown, and every way to another one.

import { lastAt, type Layers, Overlay } from "./overlay";
import { Signal } from "./signal";
import type { Detail, Media } from "./types";

export const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2];
export const LAYERS: [keyof Layers, string][] = [["boxes", "boxes"], ["landmarks", "landmarks"], ["speaker", "active speaker"], ["words", "words"]];

const NEAR_S = 1e-3; // behind a frame's time, so that rounding does not show the one before
const TURN_S = 0.3; // into a turn, from which "turn before" goes to its start

/** How clips are played: the same for the next one. */
export const settings = {
  layers: new Signal<Layers>({ boxes: true, landmarks: false, speaker: true, words: true }),
  speed: new Signal(1),
  loop: new Signal(true),
  media: new Signal<"render" | "source">("render"),
};

export function faster(by: number): void {
  const at = SPEEDS.indexOf(settings.speed.value) + by;
  settings.speed.value = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at))];
}

export function swapLayer(number: number): void {
  const name = LAYERS[number]?.[0];
  if (name) settings.layers.value = { ...settings.layers.value, [name]: !settings.layers.value[name] };
}

export class Playback {
  readonly frame = new Signal(0); // that is shown, from 1 at the clip's first
  readonly playing = new Signal(false);
  private readonly overlay: Overlay;
  private readonly from: number; // of the clip, on the video's clock
  private readonly to: number;
  private readonly undo: (() => void)[] = [];
  private live = true;

  /** Begins to play where `clock` is, a moment of the source, and moves it on; shows that moment where it is to be `still`. */
  constructor(private detail: Detail, private media: Media, private video: HTMLVideoElement, canvas: HTMLCanvasElement, readonly clock: Signal<number>, private still = false) {
    this.from = detail.clip.start - media.offset;
    this.to = detail.clip.end - media.offset;
    this.overlay = new Overlay(canvas, video);
    this.overlay.show(detail);
    const observer = new ResizeObserver(() => this.draw());
    observer.observe(canvas);
    this.undo.push(() => observer.disconnect(), settings.layers.follow(() => this.draw()), settings.speed.follow(() => (video.playbackRate = settings.speed.value)));
    this.on("play", () => (this.playing.value = true));
    this.on("pause", () => (this.playing.value = false));
    this.on("timeupdate", () => this.goRound(video.currentTime));
    video.requestVideoFrameCallback(this.shown);
    if (video.readyState >= 1) this.start();
    else this.on("loadedmetadata", () => this.start());
  }

  end(): void {
    this.live = false;
    for (const one of this.undo) one();
  }

  toggle(): void {
    if (this.video.paused) this.video.play().catch(() => (this.playing.value = false));
    else this.video.pause();
  }

  /** Goes some frames on, by the times that the file states. */
  step(by: number): void {
    const { times } = this.media;
    if (!times.length) return;
    this.video.pause();
    const next = Math.max(0, Math.min(times.length - 1, lastAt(times, this.at + 1e-4) + by));
    const gap = next + 1 < times.length ? times[next + 1] - times[next] : 0.02;
    this.video.currentTime = times[next] + Math.min(gap / 2, 0.02);
  }

  /** Goes to a moment of the source; in a render no further than it reaches. */
  seek(moment: number): void {
    const at = moment - this.media.offset;
    this.video.currentTime = Math.max(0, this.media.name === "render" ? Math.min(this.to - NEAR_S, at) : at);
  }

  /** Goes to where the next turn begins, or the one before. */
  turn(by: number): void {
    const voices = this.detail.lanes.find((lane) => lane.kind === "voices")?.spans ?? [];
    const first = this.media.name === "render" ? this.detail.clip.start : -Infinity;
    const starts = [this.detail.clip.start, ...voices.map((span) => span[0])].filter((start) => start >= first && start < this.detail.clip.end).sort((a, b) => a - b);
    const to = by > 0 ? starts.find((start) => start > this.clock.value + 0.05) : starts.reverse().find((start) => start < this.clock.value - TURN_S);
    if (to !== undefined) this.seek(to + NEAR_S);
  }

  private get at(): number {
    return this.clock.value - this.media.offset;
  }

  private on(event: string, then: () => void): void {
    this.video.addEventListener(event, then);
    this.undo.push(() => this.video.removeEventListener(event, then));
  }

  private start(): void {
    this.video.playbackRate = settings.speed.value;
    this.video.currentTime = Math.max(this.from, Math.min(this.to - 0.01, this.at)) + NEAR_S;
    if (!this.still) this.video.play().catch(() => (this.playing.value = false));
  }

  private shown = (_: number, told: VideoFrameCallbackMetadata): void => {
    if (!this.live) return;
    this.clock.value = told.mediaTime + this.media.offset;
    const first = Math.max(0, lastAt(this.media.times, this.from + 1e-4));
    this.frame.value = lastAt(this.media.times, told.mediaTime + 1e-4) + 1 - first;
    this.draw();
    this.goRound(told.mediaTime);
    this.video.requestVideoFrameCallback(this.shown);
  };

  /** In a source the clip's seconds alone are played. */
  private goRound(time: number): void {
    if (this.media.name !== "source" || this.video.paused || time < this.to - NEAR_S) return;
    if (settings.loop.value) this.video.currentTime = this.from + NEAR_S;
    else this.video.pause();
  }

  private draw(): void {
    this.overlay.draw(this.media, this.clock.value, settings.layers.value);
  }
}
