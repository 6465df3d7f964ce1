import { useEffect, useRef } from "react";

/** Asks again and again while `on`. */
export function usePolling(poll: () => void, everyMs: number, on: boolean): void {
  const newest = useRef(poll);
  useEffect(() => { newest.current = poll; });
  useEffect(() => {
    if (!on) return undefined;
    const timer = setInterval(() => newest.current(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, on]);
}
