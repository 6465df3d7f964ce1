import { useSyncExternalStore } from "react";

/** A value outside of React that components can watch. */
export class Store<Value> {
  private readonly listeners = new Set<() => void>();

  constructor(private value: Value) {}

  get = (): Value => this.value;

  set(value: Value): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const listener of [...this.listeners]) listener();
  }

  watch = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Resolves with the first value that passes. */
  async until<Passing extends Value>(passes: (value: Value) => value is Passing): Promise<Passing> {
    return new Promise((resolve) => {
      const look = (): boolean => {
        const { value } = this;
        if (passes(value)) resolve(value);
        return passes(value);
      };
      if (look()) return;
      const stop = this.watch(() => { if (look()) stop(); });
    });
  }
}

/** The store's value, and a new rendering with each change. */
export function useStore<Value>(store: Store<Value>): Value {
  return useSyncExternalStore(store.watch, store.get);
}
