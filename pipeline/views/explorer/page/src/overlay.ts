// What was seen, drawn above the video. The video's own pixels are never read: from disk a browser does not allow it.

import { bytesOf } from "./data";
import type { Active, Detail, Media } from "./types";

export interface Layers {
  boxes: boolean;
  landmarks: boolean;
  speaker: boolean;
  words: boolean;
}

const PER_PX = 4; // landmarks come in quarters of a pixel
const UNSEEN = -32768;
const GAP_S = 0.5; // between two looks at a face, beyond which it is not drawn

/** The place of the last number that is not above `value`; -1 where all are. `sorted` goes up. */
export function lastAt(sorted: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const half = (low + high) >>> 1;
    if (sorted[half] <= value) low = half + 1;
    else high = half;
  }
  return low - 1;
}

/** A face's box at a moment of the source, between the looks around it; null where it was not looked at. */
export function boxAt(track: Detail["tracks"][number], time: number): [number, number, number, number] | null {
  const at = lastAt(track.times, time + 1e-6);
  if (at < 0 || (at === track.times.length - 1 && time - track.times[at] > GAP_S)) return null;
  const next = Math.min(at + 1, track.times.length - 1);
  const gap = track.times[next] - track.times[at];
  if (gap > 2 * GAP_S) return track.boxes[at];
  const share = gap > 0 ? (time - track.times[at]) / gap : 0;
  return track.boxes[at].map((side, n) => side + (track.boxes[next][n] - side) * share) as [number, number, number, number];
}

/** The score of an active speaker at a moment; null outside of it. */
export function scoreAt(active: Active | undefined, time: number): number | null {
  if (!active) return null;
  const at = Math.floor((time - active.start) / active.step + 1e-6);
  return at >= 0 && at < active.score.length ? active.score[at] : null;
}

export class Overlay {
  private points: Int16Array | null = null;
  private detail: Detail | null = null;

  constructor(private canvas: HTMLCanvasElement, private video: HTMLVideoElement) {}

  show(detail: Detail): void {
    this.detail = detail;
    this.points = null;
    if (detail.landmarks) {
      const bytes = bytesOf(detail.landmarks.points);
      this.points = new Int16Array(bytes.buffer, 0, bytes.byteLength >>> 1);
    }
  }

  /** Draws what was seen at a moment of the source. */
  draw(media: Media, time: number, layers: Layers): void {
    const { canvas, video, detail } = this;
    const scale = devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const pen = canvas.getContext("2d");
    if (!pen || !detail) return;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const inner = { width: video.videoWidth || media.width, height: video.videoHeight || media.height };
    const fit = Math.min(width / inner.width, height / inner.height);
    const left = (width - inner.width * fit) / 2;
    const top = (height - inner.height * fit) / 2;
    const box = media.name === "render" ? detail.clip.box : [0, 0, detail.source.width || inner.width, detail.source.height || inner.height];
    const x = (px: number): number => left + ((px - box[0]) / (box[2] - box[0])) * inner.width * fit;
    const y = (px: number): number => top + ((px - box[1]) / (box[3] - box[1])) * inner.height * fit;
    pen.save();
    pen.beginPath();
    pen.rect(left, top, inner.width * fit, inner.height * fit);
    pen.clip();
    if (media.name === "source" && layers.boxes) outline(pen, detail.clip.box, x, y, "#ffffffb0", [6, 5]);
    if (layers.landmarks) this.face(pen, time, x, y);
    for (const track of layers.boxes || layers.speaker ? detail.tracks : []) {
      const found = boxAt(track, time);
      if (!found) continue;
      const score = layers.speaker ? scoreAt(detail.active.find((one) => one.track === track.id), time) : null;
      const speaks = score !== null && score > 0;
      const own = track.id === detail.clip.track;
      if (layers.boxes) outline(pen, found, x, y, speaks ? "#4ade80" : own ? "#60a5fa" : "#cbd5e1", []);
      if (layers.speaker && score !== null) meter(pen, x(found[0]), y(found[3]), x(found[2]) - x(found[0]), score);
      if (layers.boxes) label(pen, `${track.id.slice(track.id.lastIndexOf("/") + 1)}${speaks ? " speaks" : ""}`, x(found[0]), y(found[1]));
    }
    pen.restore();
    if (layers.words) caption(pen, detail, time, width, height);
  }

  private face(pen: CanvasRenderingContext2D, time: number, x: (px: number) => number, y: (px: number) => number): void {
    const marks = this.detail?.landmarks;
    if (!marks || !this.points) return;
    const at = lastAt(marks.times, time + 0.004);
    if (at < 0 || time - marks.times[at] > GAP_S) return;
    const first = at * marks.count * 2;
    if (this.points[first] === UNSEEN) return;
    pen.strokeStyle = "#67e8f9";
    pen.lineWidth = 1;
    pen.beginPath();
    for (const [one, other] of marks.edges) {
      pen.moveTo(x(this.points[first + 2 * one] / PER_PX), y(this.points[first + 2 * one + 1] / PER_PX));
      pen.lineTo(x(this.points[first + 2 * other] / PER_PX), y(this.points[first + 2 * other + 1] / PER_PX));
    }
    pen.stroke();
  }
}

type Place = (px: number) => number;

function outline(pen: CanvasRenderingContext2D, box: readonly number[], x: Place, y: Place, colour: string, dash: number[]): void {
  pen.setLineDash(dash);
  pen.lineWidth = 3.5;
  pen.strokeStyle = "#0006";
  pen.strokeRect(x(box[0]), y(box[1]), x(box[2]) - x(box[0]), y(box[3]) - y(box[1]));
  pen.lineWidth = 1.75;
  pen.strokeStyle = colour;
  pen.strokeRect(x(box[0]), y(box[1]), x(box[2]) - x(box[0]), y(box[3]) - y(box[1]));
  pen.setLineDash([]);
}

/** How sure the model is that the face speaks: to the right of the middle it does. */
function meter(pen: CanvasRenderingContext2D, left: number, top: number, width: number, score: number): void {
  const share = Math.max(-1, Math.min(1, score / 3));
  pen.fillStyle = "#0009";
  pen.fillRect(left, top + 4, width, 5);
  pen.fillStyle = score > 0 ? "#4ade80" : "#fb923c";
  pen.fillRect(left + width / 2 + (share < 0 ? (share * width) / 2 : 0), top + 4, (Math.abs(share) * width) / 2, 5);
}

function label(pen: CanvasRenderingContext2D, text: string, left: number, top: number): void {
  pen.font = "600 11px system-ui, sans-serif";
  const width = pen.measureText(text).width + 8;
  pen.fillStyle = "#000a";
  pen.fillRect(left, Math.max(0, top - 17), width, 16);
  pen.fillStyle = "#fff";
  pen.fillText(text, left + 4, Math.max(0, top - 17) + 12);
}

/** The words around the one that is heard, which is bright. */
function caption(pen: CanvasRenderingContext2D, detail: Detail, time: number, width: number, height: number): void {
  const at = lastAt(detail.words.map((word) => word[0]), time);
  const shown = detail.words.map((word, n) => ({ text: word[2], now: n === at && time < word[1] + 0.15, from: word[0] })).filter((word) => Math.abs(word.from - time) < 2.2);
  if (!shown.length) return;
  pen.font = "600 15px system-ui, sans-serif";
  const gap = pen.measureText(" ").width;
  const lines: { text: string; now: boolean; width: number }[][] = [[]];
  let used = 0;
  for (const word of shown) {
    const size = pen.measureText(word.text).width;
    if (used + size > width - 40 && used > 0) {
      lines.push([]);
      used = 0;
    }
    lines[lines.length - 1].push({ text: word.text, now: word.now, width: size });
    used += size + gap;
  }
  lines.slice(-2).forEach((line, n, all) => {
    const size = line.reduce((sum, word) => sum + word.width + gap, -gap);
    let left = (width - size) / 2;
    const base = height - 14 - (all.length - 1 - n) * 22;
    pen.fillStyle = "#000a";
    pen.fillRect(left - 6, base - 16, size + 12, 22);
    for (const word of line) {
      pen.fillStyle = word.now ? "#fde047" : "#fff";
      pen.fillText(word.text, left, base);
      left += word.width + gap;
    }
  });
}
