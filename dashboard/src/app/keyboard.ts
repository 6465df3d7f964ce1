import { useEffect, useRef } from "react";
import { Store } from "./store";

/** One thing that the keyboard does on the page that is open. */
export interface Shortcut {
  /** A key as in `KeyboardEvent.key`, or two after each other: `j`, `/`, `g l`. */
  readonly keys: string;
  readonly does: string;
  readonly run: () => void;
}

const SEQUENCE_MS = 1_000;
const active = new Store<readonly (readonly Shortcut[])[]>([]);
export const shortcuts = active;
let first: { key: string; at: number } | undefined;

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function hear(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return;
  // A dialog has the keyboard to itself.
  if (document.querySelector('[role="dialog"]') !== null) return;
  const before = first !== undefined && event.timeStamp - first.at < SEQUENCE_MS ? `${first.key} ` : "";
  const all = [...active.get()].reverse().flat();
  const found = all.find(({ keys }) => keys === before + event.key) ?? all.find(({ keys }) => keys === event.key);
  first = undefined;
  if (found) {
    event.preventDefault();
    found.run();
  } else if (all.some(({ keys }) => keys.startsWith(`${event.key} `))) {
    first = { key: event.key, at: event.timeStamp };
  }
}

export function startKeyboard(): void {
  addEventListener("keydown", hear);
}

/** Offers shortcuts while the component is on the page; the one that came last wins a key. */
export function useShortcuts(offered: readonly Shortcut[]): void {
  const newest = useRef(offered);
  useEffect(() => { newest.current = offered; });
  const names = offered.map(({ keys, does }) => `${keys}=${does}`).join("\n");
  useEffect(() => {
    const mine = newest.current.map(({ keys, does }) => ({ keys, does, run: () => newest.current.find((each) => each.keys === keys)?.run() }));
    active.set([...active.get(), mine]);
    return () => active.set(active.get().filter((each) => each !== mine));
  }, [names]);
}
