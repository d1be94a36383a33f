// Questions in SQL, which Python's DuckDB answers where the page is served.

import { useState } from "preact/hooks";
import { count, number } from "./format";
import type { Model } from "./model";

interface Answer {
  names: string[];
  rows: (string | number | boolean | null)[][];
  more: boolean;
  clips: number[] | null; // rows of the page that the answer names
  seconds: number;
}

const EXAMPLES = [
  "select clip_id, seconds, uri from wide order by seconds desc",
  "select reason, count(*) as drops from drops group by reason order by drops desc",
  "select uri, count(*) as clips, sum(seconds) as seconds from wide group by uri",
];

export function SqlView({ model }: { model: Model }) {
  const [query, write] = useState(EXAMPLES[0]);
  const [answer, put] = useState<Answer | null>(null);
  const [failed, fail] = useState("");
  const [busy, work] = useState(false);
  const run = async (): Promise<void> => {
    work(true);
    try {
      const response = await fetch("sql", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ query }) });
      const found = (await response.json()) as Answer & { error?: string };
      fail(found.error ?? "");
      put(found.error ? null : found);
    } catch {
      fail("The server does not answer: is `headset explore` still running?");
    }
    work(false);
  };
  return (
    <div class="asking">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        <label for="query">Query over the tables, and <code>wide</code>: a row a clip</label>
        <textarea
          id="query"
          spellcheck={false}
          value={query}
          rows={5}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void run();
          }}
        />
        <div class="actions">
          <button class="primary" disabled={busy}>{busy ? "running" : "Run"} <kbd>Ctrl ↵</kbd></button>
          {EXAMPLES.map((one) => (
            <button key={one} type="button" class="quiet" onClick={() => write(one)}>{one.slice(0, 44)}…</button>
          ))}
        </div>
      </form>
      {failed && <pre class="failed" role="alert">{failed}</pre>}
      {answer && (
        <>
          <p class="told">
            {count(answer.rows.length)} rows{answer.more ? ", and more that are not shown" : ""}, {answer.seconds.toFixed(2)} s
            {answer.clips && (
              <button
                onClick={() => {
                  model.choose("sql", answer.clips);
                  model.view.value = "clips";
                }}
              >
                Show these {count(answer.clips.length)} clips
              </button>
            )}
          </p>
          <div class="scroll" tabIndex={0} role="region" aria-label="Answer">
            <table>
              <thead>
                <tr>{answer.names.map((name, n) => <th key={n}>{name}</th>)}</tr>
              </thead>
              <tbody>
                {answer.rows.map((row, n) => (
                  <tr key={n}>{row.map((value, k) => <td key={k} class={typeof value === "number" ? "number" : ""} dir="auto">{value === null ? "" : typeof value === "number" ? number(value) : String(value).slice(0, 400)}</td>)}</tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </div>
  );
}
