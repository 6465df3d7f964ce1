import { useCallback, useState } from "react";
import { session } from "./session";

function place(name: string): string {
  const now = session.get();
  return `aiops-draft:${"person" in now ? now.person.id : ""}:${name}`;
}

function read<Value>(name: string, empty: Value): Value {
  const kept = sessionStorage.getItem(place(name));
  if (kept === null) return empty;
  try {
    const value = JSON.parse(kept) as Value;
    return typeof empty === "object" && empty !== null ? { ...empty, ...value } : value;
  } catch {
    return empty;
  }
}

/** What is being typed, kept through a reload until it is sent. Each person in a tab has drafts of his own. */
export function useDraft<Value>(name: string, empty: Value): readonly [Value, (value: Value) => void, () => void] {
  const [value, setValue] = useState(() => read(name, empty));
  const change = useCallback((next: Value) => {
    setValue(next);
    sessionStorage.setItem(place(name), JSON.stringify(next));
  }, [name]);
  const [nothing] = useState(empty);
  const clear = useCallback(() => {
    setValue(nothing);
    sessionStorage.removeItem(place(name));
  }, [name, nothing]);
  return [value, change, clear];
}
