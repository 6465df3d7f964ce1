import { Anchor, Skeleton, Table, Text, Title } from "@mantine/core";
import { lazy, Suspense, useMemo, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import type { CombinedError } from "urql";
import { NETWORK, problemAt } from "../../app/problem";
import { graphql, readFragment, type FragmentType } from "../../gql";
import type { LogHistogramFragment as Spread, Severity } from "../../gql/graphql";
import { formatMoment } from "../../ui/Moment";
import { MissingPart } from "../../ui/Trouble";
import { formatClock, formatCount, formatSpan } from "./format";
import classes from "./LogHistogram.module.css";
import { SEVERITIES } from "./SeverityMark";

const HistogramChart = lazy(() => import("./HistogramChart"));

export const LogHistogramFragment = graphql(`
  fragment LogHistogram on Log {
    id
    histogram(buckets: 60) {
      bucketSeconds
      untimedCount
      buckets { startTime count severityCounts { severity count } }
    }
  }
`);

/** One bar: its span of time and how many records of each severity fall into it. */
export type BucketRow = Readonly<Record<Severity | "none" | "count", number>> & { readonly label: string; readonly from: string; readonly to: string };

const NAMES = [...SEVERITIES].reverse();

function rowsOf({ bucketSeconds, buckets }: NonNullable<Spread["histogram"]>): readonly BucketRow[] {
  const days = new Set(buckets.map(({ startTime }) => startTime.slice(0, 10))).size;
  return buckets.map(({ startTime, count, severityCounts }) => {
    const of = (severity: Severity | null): number => severityCounts.find((each) => (each.severity ?? null) === severity)?.count ?? 0;
    const clock = formatClock(startTime).slice(0, 8);
    return {
      label: days > 1 ? `${startTime.slice(5, 10)} ${clock.slice(0, 5)}` : clock, from: startTime,
      to: new Date(Date.parse(startTime) + bucketSeconds * 1_000).toISOString(), count,
      TRACE: of("TRACE"), DEBUG: of("DEBUG"), INFO: of("INFO"), WARN: of("WARN"), ERROR: of("ERROR"), FATAL: of("FATAL"), none: of(null),
    };
  });
}

/** How the records are spread over time. A bar, or a row of its table, shows the records of that time. */
export function LogHistogram({ log: ref, error, reload }: {
  readonly log: FragmentType<typeof LogHistogramFragment>; readonly error: CombinedError | undefined; readonly reload: () => void;
}) {
  const { histogram } = readFragment(LogHistogramFragment, ref);
  const rows = useMemo(() => (histogram ? rowsOf(histogram) : []), [histogram]);
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const [table, setTable] = useState(false);
  const target = ({ from, to }: BucketRow): { search: string; hash: string } => {
    const next = new URLSearchParams(params);
    next.set("from", from);
    next.set("to", to);
    return { search: next.toString(), hash: "records" };
  };
  return (
    <section aria-labelledby="histogram">
      <Title order={2} size="h4" id="histogram" mb="xs">Over time</Title>
      {!histogram && <MissingPart what="The histogram" problem={problemAt(error, "log", "histogram") ?? NETWORK} retry={reload} />}
      {histogram && rows.length === 0 && <Text size="sm" c="dimmed">No record says when it happened.</Text>}
      {histogram && rows.length > 0 && (
        <>
          <div className={classes.place} aria-hidden>
            <Suspense fallback={<Skeleton height={160} />}><HistogramChart rows={rows} choose={(row) => void navigate(target(row), { preventScrollReset: true })} /></Suspense>
          </div>
          <Text size="xs" c="dimmed">
            One bar is {formatSpan(histogram.bucketSeconds)}, times are in UTC. Choose one to see its records.
            {histogram.untimedCount > 0 && ` ${formatCount(histogram.untimedCount, "record")} without a time ${histogram.untimedCount === 1 ? "is" : "are"} not in it.`}
          </Text>
          <details onToggle={(event) => setTable(event.currentTarget.open)}>
            <summary className={classes.summary}>The same as a table</summary>
            {table && <HistogramTable rows={rows} target={target} />}
          </details>
        </>
      )}
    </section>
  );
}

function HistogramTable({ rows, target }: { readonly rows: readonly BucketRow[]; readonly target: (row: BucketRow) => { search: string; hash: string } }) {
  const present = NAMES.filter((name) => rows.some((row) => row[name] > 0));
  const counted = rows.filter(({ count }) => count > 0);
  return (
    <div className={classes.table} tabIndex={0} role="region" aria-label="Records over time as a table">
      <Table aria-labelledby="histogram" fz="xs" verticalSpacing={2}>
        <Table.Thead><Table.Tr><Table.Th>From</Table.Th><Table.Th ta="end">Records</Table.Th>{present.map((name) => <Table.Th key={name} ta="end">{name}</Table.Th>)}</Table.Tr></Table.Thead>
        <Table.Tbody>
          {counted.map((row) => (
            <Table.Tr key={row.from}>
              <Table.Td><Anchor component={Link} to={target(row)} fz="xs">{formatMoment(row.from)}</Anchor></Table.Td>
              <Table.Td ta="end">{row.count.toLocaleString("en")}</Table.Td>
              {present.map((name) => <Table.Td key={name} ta="end">{row[name].toLocaleString("en")}</Table.Td>)}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
