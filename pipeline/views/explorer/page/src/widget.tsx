// Clips in a notebook: the page's player, with a kernel behind it instead of files. An anywidget, see `pipeline/views/widget.py`.

import { render as draw } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Entry, goesOn, type Verdict } from "./reviews";
import { type Controls, Screen } from "./screen";
import { Triage } from "./triage";
import type { Detail } from "./types";

declare const STYLE: string; // the page's style, put here by build.mjs

interface State {
  clips: string[];
  triage: boolean;
  said: Record<string, Entry>;
  kept: string; // what became of it, in a sentence
}

/** The kernel's side, as anywidget gives it. */
export interface Kernel {
  get<K extends keyof State>(name: K): State[K];
  set<K extends keyof State>(name: K, value: State[K]): void;
  save_changes(): void;
  send(content: unknown): void;
  on(event: string, then: (...told: any[]) => void): void;
  off(event: string, then: (...told: any[]) => void): void;
}

interface Answer {
  clip: string;
  detail?: Detail;
  error?: string;
}

/** All of a clip, once the kernel has told it; its video is a Blob that ends with the component. */
function useDetail(kernel: Kernel, clip: string): { detail?: Detail; error?: string } {
  const [answer, put] = useState<Answer | null>(null);
  useEffect(() => {
    let video = "";
    const told = (found: Answer, buffers: DataView[]): void => {
      if (found.clip !== clip || video) return;
      if (found.detail && buffers.length) {
        video = URL.createObjectURL(new Blob([buffers[0] as DataView<ArrayBuffer>], { type: "video/mp4" }));
        found.detail.media[0].file = video;
      }
      put(found);
    };
    kernel.on("msg:custom", told);
    kernel.send({ ask: clip });
    return () => {
      kernel.off("msg:custom", told);
      if (video) URL.revokeObjectURL(video);
    };
  }, [clip]);
  return answer?.clip === clip ? answer : {};
}

/** A part of the kernel's state; the component is drawn anew when it changes. */
function useKernel<K extends keyof State>(kernel: Kernel, name: K): State[K] {
  const [value, put] = useState(kernel.get(name));
  useEffect(() => {
    const changed = (): void => put(kernel.get(name));
    kernel.on(`change:${name}`, changed);
    return () => kernel.off(`change:${name}`, changed);
  }, []);
  return value;
}

const OPEN_TO_KEYS = "input, textarea, select, [contenteditable]:not([contenteditable=false])";

/** Whether the widget may take the keyboard without taking it from anybody: nothing has it, or the cell that the widget
 * is in, or the notebook, as after Ctrl+Enter. Another cell that is in use, and any editor, keeps it. */
function isFree(host: Element): boolean {
  const active = document.activeElement;
  if (!document.hasFocus() || !active) return false; // a frame whose page is used elsewhere, as in VS Code
  const cell = host.closest(".jp-Cell");
  if (cell && !cell.classList.contains("jp-mod-active")) return false; // Shift+Enter has gone on to the next cell
  return active === document.body || (active.contains(host) && !active.matches(OPEN_TO_KEYS));
}

/** Takes the keyboard once the widget is seen for the first time; a front end draws it before it is in the page. */
function useFirstFocus(area: { current: HTMLElement | null }): void {
  useEffect(() => {
    const section = area.current as HTMLElement;
    const host = (section.getRootNode() as ShadowRoot).host;
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((one) => one.isIntersecting)) return;
      seen.disconnect();
      if (isFree(host)) section.focus({ preventScroll: true });
    });
    seen.observe(section);
    return () => seen.disconnect();
  }, []);
}

function Widget({ kernel }: { kernel: Kernel }) {
  const clips = kernel.get("clips");
  const triage = kernel.get("triage");
  const said = useKernel(kernel, "said");
  const kept = useKernel(kernel, "kept");
  const [place, go] = useState(Math.max(0, clips.findIndex((clip) => !said[clip]?.verdict)));
  const before = useRef<[number, Entry | undefined][]>([]); // to be undone, the last one last
  const controls = useRef<Controls | null>(null);
  const area = useRef<HTMLElement>(null);
  const [focused, focus] = useState(false);
  useFirstFocus(area);
  const clip = clips[place];
  const { detail, error } = useDetail(kernel, clip);

  const put = (at: number, entry: Entry | undefined): void => {
    const { [clips[at]]: _, ...others } = kernel.get("said");
    kernel.set("said", entry ? { ...others, [clips[at]]: entry } : others);
    kernel.save_changes();
  };
  const say = (verdict: Verdict | "", reason: string, goOn: boolean): void => {
    const now = kernel.get("said")[clip];
    if (!goesOn(before.current.at(-1)?.[0] === place, now, verdict)) before.current.push([place, now]);
    put(place, { verdict, reason, at: new Date().toISOString().replace(/\.\d+Z$/, "Z") });
    if (goOn) turn(1);
  };
  const goTo = (to: number): void => {
    go(Math.max(0, Math.min(clips.length - 1, to)));
    area.current?.focus(); // what had it may end with its clip, and the next key would be the notebook's
  };
  const turn = (by: number): void => goTo(place + by);
  const undo = (): void => {
    const last = before.current.pop();
    if (!last) return;
    put(...last);
    goTo(last[0]);
  };
  const reason = (): HTMLInputElement => area.current?.querySelector("#reason") as HTMLInputElement;
  const keys: Record<string, () => void> = {
    " ": () => controls.current?.toggle(),
    ",": () => controls.current?.step(-1),
    ".": () => controls.current?.step(1),
    "[": () => controls.current?.turn(-1),
    "]": () => controls.current?.turn(1),
    "-": () => controls.current?.faster(-1),
    "=": () => controls.current?.faster(1),
    l: () => controls.current?.loop(),
    ...Object.fromEntries([0, 1, 2, 3].map((layer) => [String(layer + 1), () => controls.current?.layer(layer)])),
    ...(triage && {
      k: () => say("keep", reason().value, true),
      x: () => say("reject", reason().value, true),
      f: () => {
        say("flag", reason().value, false);
        reason().focus();
      },
      u: undo,
      n: () => turn(1),
      b: () => turn(-1),
    }),
  };
  const key = (event: KeyboardEvent): void => {
    event.stopPropagation(); // a notebook has commands on the same letters
    const target = event.target as HTMLElement;
    if (event.key === "Escape") leave(target, area.current as HTMLElement);
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    if (["INPUT", "SELECT"].includes(target.tagName) || (event.key === " " && target.tagName === "BUTTON")) return;
    keys[event.key]();
    event.preventDefault();
  };
  const judged = clips.filter((one) => said[one]?.verdict).length;
  return (
    <section class="widget" ref={area} tabIndex={0} aria-label={triage ? "Triage of clips" : "Timeline of a clip"} onKeyDown={key} onFocusIn={() => focus(true)} onFocusOut={() => focus(false)}>
      <header>
        <code dir="auto" title={clip}>{clip}</code>
        {triage && (
          <>
            <span role="status">
              {place + 1} of {clips.length}, {judged} reviewed
            </span>
            <button onClick={() => turn(-1)} disabled={place === 0} aria-label="clip before" title="b">‹</button>
            <button onClick={() => turn(1)} disabled={place === clips.length - 1} aria-label="next clip" title="n">›</button>
            <button onClick={undo} title="u: take the last verdict back">undo</button>
          </>
        )}
      </header>
      <p class={`hint${focused ? "" : " away"}`}>{focused ? (triage ? TRIAGE_KEYS : PLAYER_KEYS) : "Click here, then use the keys"}</p>
      {error && <p class="empty" role="alert">{error}</p>}
      {!detail && !error && <p class="empty">…</p>}
      {detail && <Screen key={clip} detail={detail} controls={controls} absent="This clip is not rendered." still={!triage} />}
      {triage && <Triage key={clip} clip={clip} entry={said[clip]} say={say} />}
      {triage && <p class="kept" role="status">{kept}</p>}
    </section>
  );
}

const PLAYER_KEYS = "space: play, pause · , . frames · [ ] turns · 1 to 4: overlays · Esc: back to the notebook";
const TRIAGE_KEYS = "k keep · x reject · f flag · u undo · n b: next, before · space: play, pause · Esc: back to the notebook";

/** From a field to the widget; from the widget to the cell around it, whose commands are the notebook's again. */
function leave(target: HTMLElement, area: HTMLElement): void {
  if (target !== area) return area.focus();
  area.blur();
  (area.getRootNode() as ShadowRoot).host.closest<HTMLElement>("[tabindex]")?.focus({ preventScroll: true });
}

/** Light or dark as the notebook is, where it says so. */
function themeOf(body: HTMLElement): string {
  const told = body.dataset.jpThemeLight ?? { "vscode-light": "true", "vscode-dark": "false" }[body.dataset.vscodeThemeKind ?? ""];
  return told === undefined ? "" : told === "true" ? "light" : "dark";
}

function render({ model, el }: { model: Kernel; el: HTMLElement }): () => void {
  el.dataset.lmSuppressShortcuts = "true"; // else JupyterLab cuts the cell where `x` rejects a clip
  const theme = themeOf(document.body);
  if (theme) el.dataset.theme = theme;
  const root = el.shadowRoot ?? el.attachShadow({ mode: "open" }); // the notebook's style and the page's are kept apart
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  draw(<Widget kernel={model} />, root);
  return () => draw(null, root);
}

export default { render };
