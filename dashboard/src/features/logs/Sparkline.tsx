interface Bucket {
  readonly startTime: string;
  readonly count: number;
}

const WIDTH = 96;
const HEIGHT = 20;

/** Counts over the log's whole time, as bars; for the eye alone, the numbers stand beside it. */
export function Sparkline({ buckets, bucketSeconds, from, to }: {
  readonly buckets: readonly Bucket[]; readonly bucketSeconds: number; readonly from: string; readonly to: string;
}) {
  const start = Math.min(Date.parse(from), ...buckets.map((bucket) => Date.parse(bucket.startTime)));
  const span = Math.max(Date.parse(to) - start, bucketSeconds * 1_000);
  const most = Math.max(1, ...buckets.map(({ count }) => count));
  const width = Math.max(1.5, Math.min(WIDTH, (bucketSeconds * 1_000 / span) * WIDTH) - 0.5);
  const bar = ({ startTime, count }: Bucket): string => {
    const left = Math.min(WIDTH - width, ((Date.parse(startTime) - start) / span) * WIDTH);
    const height = Math.max(1.5, (count / most) * HEIGHT);
    return `M${left.toFixed(1)} ${HEIGHT}v-${height.toFixed(1)}h${width.toFixed(1)}v${height.toFixed(1)}z`;
  };
  return (
    <svg width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden style={{ display: "block" }}>
      <path d={buckets.map(bar).join("")} fill="var(--mantine-color-anchor)" />
    </svg>
  );
}
