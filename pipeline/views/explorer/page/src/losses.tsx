// The funnel, and what was given up: by reason, with examples to look at.

import { useEffect, useState } from "preact/hooks";
import { count, fileName, moment } from "./format";
import type { Model } from "./model";
import type { Example, Loss, Losses } from "./types";

export function LossesView({ model }: { model: Model }) {
  const [found, put] = useState<Losses | null>(null);
  const [chosen, choose] = useState(0);
  useEffect(() => {
    model.losses().then(put, (error: Error) => (model.trouble.value = error.message));
  }, []);
  if (!found) return <p class="empty">…</p>;
  const loss = found.reasons[chosen];
  const most = Math.max(1, ...found.reasons.map((one) => one.count));
  return (
    <div class="given-up">
      <section class="funnel" aria-label="Funnel">
        <h2>Funnel</h2>
        <p class="chain">{found.funnel.chain}</p>
        {found.funnel.sums.filter((sum) => sum.proposed > 0 && CHAIN.includes(sum.table)).map((sum) => (
          <div class="sum" key={sum.table}>
            <span class="table">{sum.table}</span>
            <span class="track" role="img" aria-label={`${sum.kept} of ${sum.proposed} ${sum.table} kept, ${sum.dropped} dropped, ${sum.failed} failed`}>
              <i class="kept" style={{ width: `${(100 * sum.kept) / sum.proposed}%` }} />
              <i class="dropped" style={{ width: `${(100 * sum.dropped) / sum.proposed}%` }} />
              <i class="failed" style={{ width: `${(100 * sum.failed) / sum.proposed}%` }} />
            </span>
            <span class="figures">
              {count(sum.kept)} <small>of {count(sum.proposed)}</small>
            </span>
          </div>
        ))}
        <details>
          <summary>Steps</summary>
          <table>
            <thead>
              <tr>{["step", "read", "ok", "dropped", "failed", "wrote"].map((name) => <th key={name}>{name}</th>)}</tr>
            </thead>
            <tbody>
              {found.funnel.steps.map((one) => (
                <tr key={one.step}>
                  <td>{one.step}</td>
                  <td class="number">{count(one.read)} {one.table}</td>
                  <td class="number">{count(one.answered)}</td>
                  <td class="number">{count(one.dropped)}</td>
                  <td class={`number${one.failed ? " failed" : ""}`}>{count(one.failed)}</td>
                  <td>{Object.entries(one.wrote).map(([table, rows]) => `${count(rows)} ${table}`).join(", ")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      </section>
      <section class="reasons" aria-label="Reasons">
        <h2>Given up</h2>
        {!found.reasons.length && <p class="empty">Nothing was given up.</p>}
        <ul>
          {found.reasons.map((one, n) => (
            <li key={`${one.table} ${one.operator} ${one.reason}`}>
              <button aria-pressed={n === chosen} onClick={() => choose(n)}>
                <span class={`bar${one.failed ? " failed" : ""}`} style={{ width: `${(100 * one.count) / most}%` }} />
                <span class="text">{one.reason}</span>
                <small>{one.table}</small>
                <span class="count">{count(one.count)}</span>
              </button>
            </li>
          ))}
        </ul>
      </section>
      {loss && <Examples model={model} loss={loss} />}
    </div>
  );
}

const CHAIN = ["sources", "shots", "tracks", "turns", "clips", "renders"];

function Examples({ model, loss }: { model: Model; loss: Loss }) {
  const [playing, play] = useState<Example | null>(null);
  useEffect(() => play(null), [loss]);
  return (
    <section class="examples" aria-label="Examples">
      <h2>
        {loss.reason} <small>{loss.operator}, {count(loss.count)} {loss.table}</small>
      </h2>
      <p>
        {loss.meaning && `${loss.meaning}. `}
        {loss.change && <span class="change">To let such through: <code>{loss.change}</code></span>}
      </p>
      {playing && <Cut key={playing.subject} example={playing} />}
      <div class="cards">
        {loss.examples.map((one) => (
          <article key={one.subject}>
            <button class="still" disabled={!one.file} style={still(model, one.picture)} onClick={() => play(one)} aria-label={one.file ? `play ${one.subject}` : one.subject} />
            <h3 dir="auto">{(one.title || fileName(one.uri) || one.subject).slice(0, 160)}</h3>
            <p class="detail" dir="auto">{one.detail}</p>
            {one.start !== null && one.end !== null && <small>{moment(one.start)} to {moment(one.end)}</small>}
            <code>{one.subject.slice(0, 200)}</code>
          </article>
        ))}
      </div>
    </section>
  );
}

/** An example in its source: its seconds, again and again. */
function Cut({ example }: { example: Example }) {
  const from = example.start ?? 0;
  const to = example.end ?? Infinity;
  return (
    <video
      class="excerpt"
      src={example.file}
      controls
      playsInline
      aria-label={example.subject}
      onLoadedMetadata={(event) => {
        event.currentTarget.currentTime = from;
        event.currentTarget.play().catch(() => undefined);
      }}
      onTimeUpdate={(event) => {
        if (event.currentTarget.currentTime >= to) event.currentTarget.currentTime = from;
      }}
    />
  );
}

function still(model: Model, picture: number): Record<string, string> {
  const { across, width, height } = model.catalogue.example;
  return {
    backgroundImage: "url(sprites/losses.jpg)",
    backgroundPosition: `${-(picture % across) * width}px ${-Math.floor(picture / across) * height}px`,
    width: `${width}px`,
    height: `${height}px`,
  };
}
