import { Badge, Button, Group, Kbd, Select } from "@mantine/core";
import { useState } from "react";
import { useWrite } from "../../app/data";
import { useShortcuts } from "../../app/keyboard";
import type { Problem } from "../../app/problem";
import { graphql, readFragment, type FragmentType } from "../../gql";
import type { LogStatus, Severity } from "../../gql/graphql";
import { formatMoment, Moment } from "../../ui/Moment";
import { PageHead } from "../../ui/PageHead";
import { Trouble } from "../../ui/Trouble";
import { useLogChange } from "./change";
import { formatBytes, formatCount } from "./format";
import { UpdateLog, UpdateLogStatus } from "./queries";
import { SEVERITIES } from "./SeverityMark";

export const LogHeadFragment = graphql(`
  fragment LogHead on Log {
    id
    version
    name
    service
    source
    state
    status
    severity
    recordCount
    byteCount
    firstRecordTime
    lastRecordTime
    createdAt
    createdBy { id displayName }
    createdByActor { kind }
  }
`);

const SOURCES = { PASTE: "pasted", UPLOAD: "uploaded", STREAM: "streamed" } as const;
/** What a person can do from where the log is, with its key. */
const MOVES: Readonly<Record<LogStatus, readonly { readonly to: LogStatus; readonly keys: string; readonly name: string }[]>> = {
  OPEN: [{ to: "ACKNOWLEDGED", keys: "a", name: "Acknowledge" }],
  ACKNOWLEDGED: [{ to: "RESOLVED", keys: "r", name: "Resolve" }, { to: "OPEN", keys: "o", name: "Reopen" }],
  RESOLVED: [{ to: "OPEN", keys: "o", name: "Reopen" }],
};

/** The top of a log's page: what it is, how far people are with it, and how bad it is. */
export function LogHead({ log: ref }: { readonly log: FragmentType<typeof LogHeadFragment> }) {
  const log = readFragment(LogHeadFragment, ref);
  const status = useWrite(UpdateLogStatus);
  const values = useWrite(UpdateLog);
  const change = useLogChange(log.id);
  const [problem, setProblem] = useState<Problem>();
  const moves = log.status ? MOVES[log.status] : [];

  async function move(to: LogStatus): Promise<void> {
    if (status.busy) return;
    const { result, theirs } = await change(log.version, (expectedVersion) => status.write({ logId: log.id, expectedVersion, status: to }), (now) => now.status === log.status);
    // Somebody else did the same: that is what was wanted.
    setProblem(theirs?.status === to ? undefined : result.problem);
  }

  async function judge(severity: Severity): Promise<void> {
    const { result } = await change(log.version, (expectedVersion) => values.write({ logId: log.id, expectedVersion, severity }), (now) => now.severity === log.severity);
    setProblem(result.problem);
  }

  useShortcuts(moves.map(({ to, keys, name }) => ({ keys, does: `${name} the log`, run: () => void move(to) })));
  const by = log.createdBy?.displayName ?? (log.createdByActor.kind === "USER" ? undefined : "a machine");
  const about = (
    <>
      {log.service ?? "Service unknown"} · {formatCount(log.recordCount, "record")}, {formatBytes(log.byteCount)}
      {log.firstRecordTime && log.lastRecordTime && <> · {formatMoment(log.firstRecordTime)} to {formatMoment(log.lastRecordTime)}</>}
      <br />
      {log.source ? SOURCES[log.source] : "arrived"} <Moment at={log.createdAt} />{by !== undefined && ` by ${by}`}
    </>
  );
  return (
    <>
      <PageHead title={log.name} about={about}>
        <Badge variant="default" size="lg" tt="none" fw={500} aria-label={`Status: ${log.status?.toLowerCase() ?? "unknown"}`}>{log.status?.toLowerCase() ?? "unknown status"}</Badge>
        {moves.map(({ to, keys, name }) => (
          <Button key={to} variant="default" size="sm" loading={status.busy} onClick={() => void move(to)} aria-keyshortcuts={keys} rightSection={<Kbd size="xs" aria-hidden>{keys}</Kbd>}>{name}</Button>
        ))}
        <Select aria-label="Severity" placeholder="No severity" w={130} allowDeselect={false} data={[...SEVERITIES].reverse()} value={log.severity ?? null} disabled={values.busy}
          onChange={(value) => { if (value !== null) void judge(value); }} />
      </PageHead>
      {problem && <Group mb="md"><Trouble problem={problem} title="The log is as it was" /></Group>}
    </>
  );
}
