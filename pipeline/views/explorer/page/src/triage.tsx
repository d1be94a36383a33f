// What a person says of a clip: three buttons and a reason.

import { useRef } from "preact/hooks";
import { type Entry, GLYPH, type Verdict } from "./reviews";

const REASONS = ["wrong speaker", "out of sync", "not frontal", "occluded", "bad sound", "bad crop"];

interface TriageProps {
  clip: string;
  entry: Entry | undefined;
  say: (verdict: Verdict | "", reason: string, goOn: boolean) => void;
}

export function Triage({ clip, entry, say }: TriageProps) {
  const input = useRef<HTMLInputElement>(null);
  const said = (): string => input.current?.value ?? "";
  return (
    <form
      class="triage"
      aria-label="Review"
      onSubmit={(event) => {
        event.preventDefault();
        say(entry?.verdict || "flag", said(), true);
        input.current?.blur();
      }}
    >
      {(["keep", "reject", "flag"] as Verdict[]).map((verdict) => (
        <button key={verdict} type="button" class={verdict} aria-pressed={entry?.verdict === verdict} onClick={() => say(entry?.verdict === verdict ? "" : verdict, said(), false)}>
          {GLYPH[verdict]} {verdict} <kbd>{{ keep: "k", reject: "x", flag: "f" }[verdict]}</kbd>
        </button>
      ))}
      <input ref={input} id="reason" list="reasons" placeholder="reason" aria-label="reason" maxLength={500} value={entry?.reason ?? ""} key={clip} />
      <datalist id="reasons">{REASONS.map((one) => <option key={one} value={one} />)}</datalist>
    </form>
  );
}
