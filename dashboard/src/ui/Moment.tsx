import { Tooltip } from "@mantine/core";
import { useEffect, useState } from "react";

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** `2026-11-23 14:05:09 UTC`: the same for everybody on a call. */
export function formatMoment(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

export function formatAgo(iso: string, now = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1_000;
  for (const [unit, size] of STEPS) if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  return "just now";
}

/** A moment: how long ago, with the exact time on hover and for machines. */
export function Moment({ at, exact = false }: { readonly at: string; readonly exact?: boolean }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 30_000);
    return () => clearInterval(timer);
  }, []);
  const full = formatMoment(at);
  return (
    <Tooltip label={exact ? formatAgo(at) : full}>
      <time dateTime={at} style={{ whiteSpace: "nowrap" }}>{exact ? full : formatAgo(at)}</time>
    </Tooltip>
  );
}
