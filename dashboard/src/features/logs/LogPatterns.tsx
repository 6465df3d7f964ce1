import { Anchor, Badge, Button, Group, Table, Text, Title } from "@mantine/core";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useClient, type CombinedError } from "urql";
import { NETWORK, problemAt, problemOf, type Problem } from "../../app/problem";
import { graphql, readFragment, type FragmentType } from "../../gql";
import type { LogPatternRowFragment, Severity } from "../../gql/graphql";
import { formatMoment } from "../../ui/Moment";
import { MissingPart, Trouble } from "../../ui/Trouble";
import { formatClock, formatCount, formatShare } from "./format";
import { MorePatterns } from "./queries";
import { SeverityMark, SEVERITIES } from "./SeverityMark";
import { Sparkline } from "./Sparkline";
import { shortened, Template } from "./Template";

export const LogPatternRow = graphql(`
  fragment LogPatternRow on LogPatternCount {
    pattern { id template }
    count
    severityCounts { severity count }
    firstTime
    lastTime
    buckets { startTime count }
    bucketSeconds
    newForService
  }
`);

export const LogPatternsFragment = graphql(`
  fragment LogPatterns on Log {
    id
    recordCount
    patternCount
    firstRecordTime
    lastRecordTime
    patterns(first: 50) {
      nodes { pattern { id template } ...LogPatternRow }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

interface Node {
  readonly pattern: { readonly id: string };
}
type PatternNode = Node & FragmentType<typeof LogPatternRow>;

function worst(counts: LogPatternRowFragment["severityCounts"]): Severity | null {
  return [...SEVERITIES].reverse().find((severity) => counts.some((each) => each.severity === severity && each.count > 0)) ?? null;
}

/** The patterns of a log, most frequent first. A click shows the records of one. */
export function LogPatterns({ log: ref, error, reload }: {
  readonly log: FragmentType<typeof LogPatternsFragment>; readonly error: CombinedError | undefined; readonly reload: () => void;
}) {
  const log = readFragment(LogPatternsFragment, ref);
  const client = useClient();
  const [further, setFurther] = useState<{ readonly nodes: readonly PatternNode[]; readonly end: string | null; readonly more: boolean }>();
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const first = log.patterns;
  const failed = problemAt(error, "log", "patterns");
  const more = further ? further.more : (first?.pageInfo.hasNextPage ?? false);
  const nodes: readonly PatternNode[] = [...(first?.nodes ?? []), ...(further?.nodes ?? [])];

  async function fetchMore(): Promise<void> {
    setBusy(true);
    const after = further ? further.end : (first?.pageInfo.endCursor ?? null);
    const { data, error: refused } = await client.query(MorePatterns, { id: log.id, first: 100, after }, { requestPolicy: "network-only" }).toPromise();
    const page = data?.log?.patterns;
    setBusy(false);
    setProblem(page ? undefined : refused ? problemOf(refused) : NETWORK);
    if (page) setFurther({ nodes: [...(further?.nodes ?? []), ...page.nodes], end: page.pageInfo.endCursor ?? null, more: page.pageInfo.hasNextPage });
  }

  return (
    <section aria-labelledby="patterns">
      <Title order={2} size="h4" id="patterns" mb="xs">{formatCount(log.patternCount, "pattern")}</Title>
      {!first && <MissingPart what="The patterns" problem={failed ?? NETWORK} retry={reload} />}
      {first && nodes.length > 0 && (
        <Table verticalSpacing={6} aria-labelledby="patterns" layout="auto">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Pattern</Table.Th>
              <Table.Th ta="end">Records</Table.Th>
              <Table.Th ta="end" visibleFrom="xs">Share</Table.Th>
              <Table.Th visibleFrom="sm">Worst</Table.Th>
              <Table.Th visibleFrom="md">Over time</Table.Th>
              <Table.Th visibleFrom="lg">First and last</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {nodes.map((node) => <PatternRow key={node.pattern.id} node={node} total={log.recordCount} from={log.firstRecordTime ?? null} to={log.lastRecordTime ?? null} />)}
          </Table.Tbody>
        </Table>
      )}
      {problem && <Trouble problem={problem} retry={() => void fetchMore()} />}
      {more && !problem && <Group justify="center" mt="xs"><Button variant="default" size="compact-sm" loading={busy} onClick={() => void fetchMore()}>Show more patterns</Button></Group>}
    </section>
  );
}

function PatternRow({ node, total, from, to }: { readonly node: PatternNode; readonly total: number; readonly from: string | null; readonly to: string | null }) {
  const { pattern, count, severityCounts, firstTime, lastTime, buckets, bucketSeconds, newForService } = readFragment(LogPatternRow, node);
  const [params] = useSearchParams();
  const next = new URLSearchParams(params);
  next.set("pattern", pattern.id);
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor component={Link} to={{ search: next.toString(), hash: "records" }} underline="hover" c="inherit" aria-label={`Records of the pattern ${shortened(pattern.template)}`}><Template template={pattern.template} /></Anchor>
        {newForService && <Badge variant="outline" size="sm" tt="none" fw={500} ml={8} title="Never seen before in this service">new</Badge>}
      </Table.Td>
      <Table.Td ta="end" style={{ whiteSpace: "nowrap" }}>{count.toLocaleString("en")}</Table.Td>
      <Table.Td ta="end" visibleFrom="xs" style={{ whiteSpace: "nowrap" }}>{formatShare(count, total)}</Table.Td>
      <Table.Td visibleFrom="sm"><SeverityMark severity={worst(severityCounts)} /></Table.Td>
      <Table.Td visibleFrom="md">{from && to && buckets.length > 0 && <Sparkline buckets={buckets} bucketSeconds={bucketSeconds} from={from} to={to} />}</Table.Td>
      <Table.Td visibleFrom="lg" style={{ whiteSpace: "nowrap" }}>
        {firstTime && lastTime ? <Text component="span" size="xs" c="dimmed" title={`${formatMoment(firstTime)} to ${formatMoment(lastTime)}`}>{formatClock(firstTime)} to {formatClock(lastTime)}</Text> : <Text component="span" size="xs" c="dimmed">no times</Text>}
      </Table.Td>
    </Table.Tr>
  );
}
