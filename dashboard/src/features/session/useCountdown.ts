import { useEffect, useState } from "react";

/** The whole seconds that are left of a wait that begins when `asked` changes; 0 when it is over. */
export function useCountdown(asked: { readonly retryAfterSeconds?: number | undefined } | undefined): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const end = Date.now() + (asked?.retryAfterSeconds ?? 0) * 1_000;
    const look = (): void => setLeft(Math.max(0, Math.ceil((end - Date.now()) / 1_000)));
    look();
    if (asked?.retryAfterSeconds === undefined) return undefined;
    const timer = setInterval(look, 250);
    return () => clearInterval(timer);
  }, [asked]);
  return left;
}
