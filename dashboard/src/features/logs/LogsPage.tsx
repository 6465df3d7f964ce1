import { Button, Code, Group, Select, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { usePages } from "../../app/data";
import { useShortcuts } from "../../app/keyboard";
import { useFilters } from "../../app/search";
import { useStore } from "../../app/store";
import { urls } from "../../app/urls";
import type { LogFilter, LogState, LogStatus } from "../../gql/graphql";
import { Empty } from "../../ui/Empty";
import { PageHead } from "../../ui/PageHead";
import { Rows, useRowKeys } from "../../ui/Rows";
import { Trouble } from "../../ui/Trouble";
import { WaitingRows } from "../../ui/Waiting";
import { AddLog } from "./AddLog";
import { DropAnywhere } from "./DropAnywhere";
import { FilterText } from "./FilterText";
import { LogRow } from "./LogRow";
import { LogsQuery } from "./queries";
import { UploadList } from "./UploadList";
import { uploads, type Described } from "./uploads";

const STATES: { value: LogState; label: string }[] = [{ value: "RECEIVED", label: "Being summarised" }, { value: "SUMMARIZED", label: "Summarised" }, { value: "FAILED", label: "No summary" }];
const STATUSES: { value: LogStatus; label: string }[] = [{ value: "OPEN", label: "Open" }, { value: "ACKNOWLEDGED", label: "Acknowledged" }, { value: "RESOLVED", label: "Resolved" }];
const FILTERS = ["text", "state", "status", "service", "tag"] as const;

/** The choice that the address names; an address can name anything. */
function chosen<Value extends string>(choices: readonly { readonly value: Value }[], wanted: string | undefined): readonly Value[] {
  return choices.filter(({ value }) => value === wanted).map(({ value }) => value);
}

function filterOf(filters: Readonly<Partial<Record<(typeof FILTERS)[number], string>>>): LogFilter {
  const states = chosen(STATES, filters.state);
  const statuses = chosen(STATUSES, filters.status);
  return {
    ...(filters.text === undefined ? {} : { text: filters.text }),
    ...(filters.service === undefined ? {} : { service: filters.service }),
    ...(filters.tag === undefined ? {} : { tag: filters.tag }),
    ...(states.length > 0 ? { states: [...states] } : {}),
    ...(statuses.length > 0 ? { statuses: [...statuses] } : {}),
  };
}

export default function LogsPage() {
  const { filters, setFilter, clear, any } = useFilters(FILTERS);
  const { nodes, loading, loadingMore, hasMore, problem, more, reload } = usePages(LogsQuery, { filter: filterOf(filters), first: 50 }, (data) => data.logs);
  const rows = useRowKeys(nodes.length);
  const search = useRef<HTMLInputElement>(null);
  const stored = useStore(uploads.list).filter(({ state }) => state.at === "stored").length;
  const listed = useRef(stored);
  useEffect(() => {
    if (stored > listed.current) reload();
    listed.current = stored;
  }, [stored, reload]);
  const [adding, setAdding] = useState(false);
  const [described, describe] = useState<Described>({ name: "", service: "", timezone: "UTC" });
  useShortcuts([
    { keys: "/", does: "Search the logs", run: () => search.current?.focus() },
    { keys: "j", does: "Next log", run: rows.next },
    { keys: "k", does: "Previous log", run: rows.previous },
    { keys: "n", does: "Add a log", run: () => setAdding(true) },
  ]);
  return (
    <>
      <PageHead title="Logs" about="Each log is cut into patterns, and summed up in sentences that cite its lines.">
        <Button leftSection={<IconPlus size={16} />} aria-expanded={adding} onClick={() => setAdding(!adding)}>Add a log</Button>
      </PageHead>
      <DropAnywhere take={(files) => uploads.add(files, described)} />
      {adding && <AddLog described={described} describe={describe} close={() => setAdding(false)} />}
      <UploadList />
      <Group component="search" gap="xs" mb="md" align="flex-end">
        <FilterText ref={search} label="Search" placeholder="Text in the name" type="search" maxLength={200} value={filters.text ?? ""} onFilter={(text) => setFilter("text", text, { replace: true })} style={{ flex: "1 1 12rem" }} />
        <Select label="Summary" placeholder="Any" data={STATES} value={filters.state ?? null} onChange={(value) => setFilter("state", value)} clearable w={160} />
        <Select label="Status" placeholder="Any" data={STATUSES} value={filters.status ?? null} onChange={(value) => setFilter("status", value)} clearable w={150} />
        <FilterText label="Service" placeholder="Any" value={filters.service ?? ""} onFilter={(text) => setFilter("service", text, { replace: true })} w={140} />
        <FilterText label="Tag" placeholder="Any" value={filters.tag ?? ""} onFilter={(text) => setFilter("tag", text, { replace: true })} w={120} />
        {any && <Button variant="subtle" color="gray" onClick={clear}>Clear</Button>}
      </Group>
      {problem && <Trouble problem={problem} title="The logs cannot be shown" retry={reload} />}
      {loading && <WaitingRows rows={8} height={56} />}
      {!loading && !problem && nodes.length === 0 && (any ? <Empty title="No log passes these filters"><Button variant="default" onClick={clear}>Clear the filters</Button></Empty> : <NoLogs add={() => setAdding(true)} />)}
      {nodes.length > 0 && (
        <Rows label="Logs" items={nodes} keyOf={({ id }) => id} hrefOf={({ id }) => urls.log(id)} current={rows.current} onCurrent={rows.choose}>
          {(log) => <LogRow log={log} />}
        </Rows>
      )}
      {hasMore && <Group justify="center" mt="md"><Button variant="default" loading={loadingMore} onClick={more}>Show older logs</Button></Group>}
    </>
  );
}

function NoLogs({ add }: { readonly add: () => void }) {
  return (
    <Empty title="No logs yet">
      <Text size="sm">Drop a log file on this page, or <Button size="compact-sm" variant="default" onClick={add}>add a log</Button>. From a shell:</Text>
      <Code block mt="sm" ta="left" tabIndex={0}>{`aiops login --url ${location.origin}\naiops logs push app.log`}</Code>
    </Empty>
  );
}
