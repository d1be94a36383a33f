// Numbers and times as people read them.

import type { Column } from "./types";

export function number(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e6) return `${trimmed((value / 1e6).toPrecision(3))} M`;
  if (size >= 10_000) return Math.round(value).toLocaleString("en");
  if (size >= 1000 || Number.isInteger(value)) return String(Math.round(value));
  if (size >= 100) return trimmed(value.toFixed(1));
  return trimmed(value.toPrecision(3));
}

function trimmed(text: string): string {
  return text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text;
}

export function count(value: number): string {
  return value.toLocaleString("en");
}

export function withUnit(value: number, unit: string): string {
  return unit ? `${number(value)} ${unit}` : number(value);
}

/** `2 h 05 min`, `3 min 20 s`, `12.5 s`. */
export function length(seconds: number): string {
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")} min`;
  if (seconds >= 60) return `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
  return `${seconds.toFixed(1)} s`;
}

export function moment(seconds: number): string {
  const sign = seconds < 0 ? "-" : "";
  const size = Math.abs(seconds);
  const minutes = Math.floor(size / 60);
  return `${sign}${minutes}:${(size % 60).toFixed(3).padStart(6, "0")}`;
}

/** The last part of a path or an address, without what follows a `?`. */
export function fileName(uri: string): string {
  const path = uri.split(/[?#]/)[0].replace(/\/+$/, "");
  return path.slice(path.lastIndexOf("/") + 1) || uri;
}

const LEVELS = 65535;

/** The number that a level begins at. */
export function valueAt(column: Column, level: number): number {
  return column.low + ((column.high - column.low) / LEVELS) * level;
}

/** The middle of the numbers that a level stands for. */
export function middle(column: Column, level: number): number {
  return valueAt(column, column.high > column.low ? level + 0.5 : level);
}

function name(column: Column): string {
  return /^[a-z_][a-z0-9_]*$/.test(column.name) ? column.name : `"${column.name.replaceAll('"', '""')}"`;
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

export type Filter = { range: [number, number] } | { codes: number[] };

/** A filter as a condition in SQL, for `headset select --where`. */
export function condition(column: Column, filter: Filter, digits = 9): string {
  const it = name(column);
  if ("range" in filter) {
    const [from, to] = filter.range;
    const parts = [];
    if (from > 0) parts.push(`${it} >= ${+valueAt(column, from).toPrecision(digits)}`);
    if (to < LEVELS) parts.push(`${it} < ${+valueAt(column, to).toPrecision(digits)}`);
    return parts.join(" and ") || `${it} is not null`;
  }
  const there = filter.codes.filter((code) => code < column.words.length);
  const absent = filter.codes.some((code) => code >= column.words.length) || (column.group === "review" && there.includes(0));
  const words = there.map((code) => column.words[code]).filter((word) => column.group !== "review" || word !== "none");
  const parts = [];
  if (words.length === 1) parts.push(`${it} = ${text(words[0])}`);
  else if (words.length) parts.push(`${it} in (${words.map(text).join(", ")})`);
  if (absent) parts.push(column.group === "review" ? `${it} is null` : `coalesce(${it}::varchar, '') = ''`);
  return parts.length > 1 ? `(${parts.join(" or ")})` : (parts[0] ?? "false");
}
