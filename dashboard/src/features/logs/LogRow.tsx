import { Badge, Group, Loader, Text } from "@mantine/core";
import { useState } from "react";
import { useSubscription } from "urql";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { Moment } from "../../ui/Moment";
import { formatCount } from "./format";
import { LogRowUpdates } from "./queries";
import { SeverityMark } from "./SeverityMark";

export const LogRowFragment = graphql(`
  fragment LogRow on Log {
    id
    name
    service
    state
    status
    severity
    recordCount
    tags
    createdAt
    createdBy { id displayName }
    createdByActor { kind }
  }
`);

type LogRowRef = FragmentType<typeof LogRowFragment>;

/** One log of the list; one that waits for its summary changes by itself. */
export function LogRow({ log: ref }: { readonly log: LogRowRef }) {
  const [newest, setNewest] = useState<LogRowRef>();
  const log = readFragment(LogRowFragment, newest ?? ref);
  useSubscription({ query: LogRowUpdates, variables: { logId: log.id }, pause: log.state !== "RECEIVED" }, (_, data) => {
    setNewest(data.logUpdates);
    return data;
  });
  const by = log.createdBy?.displayName ?? (log.createdByActor.kind === "USER" ? undefined : "a machine");
  return (
    <>
      <Group gap="xs" wrap="nowrap" align="baseline">
        <SeverityMark severity={log.severity} />
        <Text component="span" size="sm" fw={500} style={{ overflowWrap: "anywhere", flex: 1, minWidth: 0 }}>{log.name}</Text>
        <LogStateMark state={log.state} />
        <Badge variant="default" tt="none" fw={500} style={{ flexShrink: 0 }}>{log.status?.toLowerCase() ?? "unknown"}</Badge>
      </Group>
      <Text component="div" size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
        {log.service ?? "service unknown"} · {formatCount(log.recordCount, "record")} · <Moment at={log.createdAt} />
        {by !== undefined && <> · by {by}</>}
        {log.tags.map((tag) => <span key={tag}> · #{tag}</span>)}
      </Text>
    </>
  );
}

function LogStateMark({ state }: { readonly state: string | null | undefined }) {
  if (state === "SUMMARIZED") return null;
  if (state === "RECEIVED") return <Badge variant="default" tt="none" fw={500} style={{ flexShrink: 0 }} leftSection={<Loader size={10} />}>being summarised</Badge>;
  return <Badge variant="outline" color="red" tt="none" fw={500} c="red" style={{ flexShrink: 0 }}>{state === "FAILED" ? "no summary" : "unknown state"}</Badge>;
}
