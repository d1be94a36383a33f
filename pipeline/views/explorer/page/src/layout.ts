// Where cards lie in an area that is scrolled. Browsers place nothing exactly that is taller than some millions of pixels: then a
// pixel of scrolling stands for several.

const CARD = 172; // pixels across, with the gap
const CAPTION = 66;
const PADDING = 12; // of the area, both sides
const TALLEST = 12_000_000;
const AHEAD = 2; // lines of cards beyond the window

export class Layout {
  readonly across: number; // cards in a line
  readonly cardWidth: number;
  readonly tall: number; // pixels of a line
  readonly lines: number;
  readonly height: number; // that is scrolled
  private readonly whole: number; // that all lines take

  /** For a window of so many pixels, and so many cards. */
  constructor(private window: { width: number; height: number }, cards: number) {
    this.across = Math.max(1, Math.floor((window.width - PADDING) / CARD));
    this.cardWidth = Math.floor((window.width - PADDING) / this.across);
    this.tall = this.cardWidth + CAPTION;
    this.lines = Math.ceil(cards / this.across);
    this.whole = this.lines * this.tall;
    this.height = Math.min(this.whole, TALLEST);
  }

  /** Cards of a whole window. */
  get page(): number {
    return this.across * Math.max(1, Math.floor(this.window.height / this.tall));
  }

  /** The places of the cards to be drawn where the area is scrolled to `top`: the first, and how many. */
  shown(top: number): { first: number; count: number } {
    const line = Math.max(0, Math.floor(this.begin(top) / this.tall) - AHEAD);
    return { first: line * this.across, count: (Math.ceil(this.window.height / this.tall) + 2 * AHEAD) * this.across };
  }

  /** Where a line is drawn, in pixels from the top of the area. */
  place(line: number, top: number): number {
    return line * this.tall - this.begin(top) + top;
  }

  /** Where to scroll to for a card to be seen whole; `top` itself where it is. */
  reveal(place: number, top: number): number {
    const at = Math.floor(place / this.across) * this.tall;
    const now = this.begin(top);
    if (at >= now && at + this.tall <= now + this.window.height) return top;
    const to = at < now ? at : at + this.tall - this.window.height;
    return to / this.pace;
  }

  /** Where the window begins in the whole. */
  private begin(top: number): number {
    return top * this.pace;
  }

  /** Pixels of the whole that a pixel of scrolling stands for. */
  private get pace(): number {
    const travel = this.height - this.window.height;
    return this.whole > this.height && travel > 0 ? (this.whole - this.window.height) / travel : 1;
  }
}
