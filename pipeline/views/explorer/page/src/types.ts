// What the data files hold: see the Python that writes them, `explorer.py`, `columns.py`, `details.py` and `losses.py`.

export interface Column {
  name: string;
  kind: "number" | "word" | "text";
  group: string;
  unit: string;
  range: string;
  better: string;
  meaning: string;
  low: number;
  high: number;
  clipped_low: boolean;
  clipped_high: boolean;
  missing: number;
  counts: number[];
  words: string[];
}

export interface Catalogue {
  title: string;
  corpus: string;
  root: string;
  made: string;
  served: boolean;
  where: string;
  rows: number;
  levels: number;
  missing: number;
  bins: number;
  part_rows: number;
  text_rows: number;
  poster: { sheet: number; across: number; side: number };
  example: { across: number; width: number; height: number };
  render_prefix: string;
  verdicts: string[];
  columns: Column[];
}

export type Span = [number, number, string];

export interface Media {
  name: "render" | "source";
  file: string;
  width: number;
  height: number;
  offset: number; // a time of the video is `offset` before that of its source
  times: number[]; // of its frames, on its own clock
  peaks: string; // of its sound, a byte every 20 ms, base64
}

export interface Track {
  id: string;
  times: number[];
  boxes: [number, number, number, number][];
  confidence: number[];
}

export interface Active {
  track: string;
  model: string;
  start: number;
  step: number;
  score: number[];
}

export interface Detail {
  clip: { id: string; start: number; end: number; speaker: string; track: string; box: [number, number, number, number] };
  source: { id: string; uri: string; title: string; width: number; height: number };
  media: Media[];
  lanes: { kind: "shots" | "faces" | "voices" | "clips"; spans: Span[] }[];
  tracks: Track[];
  active: Active[];
  landmarks: { times: number[]; count: number; edges: [number, number][]; points: string } | null;
  words: [number, number, string, number][];
  facts: [string, string | number | boolean][];
  similar?: Record<Alike, [number, number][]>; // rows and cosines, the most alike first; none where it was not embedded
  same?: Record<Alike, number | null>; // the cosine from which on two are one person; null where the project has no such number
}

export type Alike = "face" | "voice";

export interface Example {
  subject: string;
  detail: string;
  start: number | null;
  end: number | null;
  picture: number;
  uri: string;
  title: string;
  file: string;
}

export interface Loss {
  table: string;
  operator: string;
  reason: string;
  failed: boolean;
  count: number;
  meaning: string;
  change: string;
  examples: Example[];
}

export interface Losses {
  reasons: Loss[];
  funnel: {
    sums: { table: string; proposed: number; kept: number; dropped: number; failed: number }[];
    steps: { step: string; table: string; read: number; answered: number; dropped: number; failed: number; wrote: Record<string, number>; reasons: Record<string, number> }[];
    chain: string;
  };
}
