// Values that parts of the page follow.

import { useLayoutEffect, useState } from "preact/hooks";

export class Signal<T> {
  private followers = new Set<() => void>();

  constructor(private held: T) {}

  get value(): T {
    return this.held;
  }

  set value(value: T) {
    if (value === this.held) return;
    this.held = value;
    for (const follower of [...this.followers]) follower();
  }

  follow(follower: () => void): () => void {
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }
}

/** The value of a signal; the component is drawn anew when it changes. */
export function useSignal<T>(signal: Signal<T>): T {
  const [, redraw] = useState(0);
  useLayoutEffect(() => {
    const seen = signal.value;
    const stop = signal.follow(() => redraw((n) => n + 1));
    if (signal.value !== seen) redraw((n) => n + 1);
    return () => void stop();
  }, [signal]);
  return signal.value;
}
