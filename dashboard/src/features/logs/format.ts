/** `1.4 MB`, in powers of 1,024 as the limits are. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(1)} kB` : `${(bytes / 1_048_576).toFixed(1)} MB`;
}

const numbers = new Intl.NumberFormat("en");

export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${numbers.format(count)} ${count === 1 ? one : many}`;
}

const SPANS: readonly (readonly [string, number])[] = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

/** `12 minutes`, `1 hour`: rounded to its largest unit. */
export function formatSpan(seconds: number): string {
  const [unit, size] = SPANS.find(([, each]) => seconds >= each) ?? ["second", 1];
  return formatCount(Math.round(seconds / size), unit);
}

/** `24.5 %`; what is there is never 0 %. */
export function formatShare(count: number, total: number): string {
  if (total === 0) return "0 %";
  const percent = (count / total) * 100;
  return percent > 0 && percent < 0.1 ? "< 0.1 %" : `${percent.toFixed(1)} %`;
}

/** The time of a record without its date: `14:05:09.120`. */
export function formatClock(iso: string): string {
  return iso.slice(11, 23).replace(/Z$/, "");
}
