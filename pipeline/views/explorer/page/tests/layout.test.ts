// Cards of a million clips: every one of them can be scrolled to, and is drawn where the window is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Layout } from "../src/layout";

for (const cards of [0, 5, 1000, 1_000_000]) {
  test(`each of ${cards} cards can be brought into view`, () => {
    const window = { width: 1100, height: 800 };
    const layout = new Layout(window, cards);
    assert.ok(layout.height <= 12_000_000);
    let top = 0;
    for (const place of [0, 1, cards >> 1, (cards >> 1) + 1, cards - 2, cards - 1, 0].filter((one) => one >= 0 && one < cards)) {
      top = layout.reveal(place, top);
      assert.ok(top >= -1e-6 && top <= Math.max(0, layout.height - window.height) + 1e-6, `${place}: ${top}`);
      const line = Math.floor(place / layout.across);
      const drawn = layout.place(line, top) - top;
      assert.ok(drawn >= -1e-6 && drawn + layout.tall <= window.height + 1e-6, `${place} is drawn at ${drawn}`);
      const { first, count } = layout.shown(top);
      assert.ok(place >= first && place < first + count);
      assert.equal(layout.reveal(place, top), top);
    }
  });
}
