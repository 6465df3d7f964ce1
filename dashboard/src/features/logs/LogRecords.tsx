import { Button, Group, Pill, Select, Text, Title } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useLocation } from "react-router";
import { usePages } from "../../app/data";
import { useShortcuts } from "../../app/keyboard";
import { useFilters } from "../../app/search";
import type { LogRecordFilter } from "../../gql/graphql";
import { Trouble } from "../../ui/Trouble";
import { WaitingRows } from "../../ui/Waiting";
import { FilterText } from "./FilterText";
import { formatClock, formatCount } from "./format";
import classes from "./LogRecords.module.css";
import { RecordsQuery } from "./queries";
import lines from "./RecordLine.module.css";
import { RecordRow } from "./RecordRow";
import { isSeverity, SEVERITIES } from "./SeverityMark";
import { Template } from "./Template";

const PAGE = 100;
const ROW_PIXELS = 24;
const FILTERS = ["severity", "text", "pattern", "from", "to"] as const;

function isMoment(value: string | undefined): value is string {
  return value !== undefined && !Number.isNaN(Date.parse(value));
}

function filterOf({ severity, text, pattern, from, to }: Readonly<Partial<Record<(typeof FILTERS)[number], string>>>): LogRecordFilter {
  return {
    ...(isSeverity(severity) ? { minimumSeverity: severity } : {}),
    ...(text === undefined ? {} : { text }),
    ...(pattern === undefined ? {} : { patternId: pattern }),
    ...(isMoment(from) ? { startTime: from } : {}),
    ...(isMoment(to) ? { endTime: to } : {}),
  };
}

/** The records of a log by line, read as they are scrolled to; what narrows them stands in the address. */
export function LogRecords({ logId, recordCount, templateOf }: {
  readonly logId: string; readonly recordCount: number; readonly templateOf: (patternId: string) => string | undefined;
}) {
  const { filters, setFilter, clear, any } = useFilters(FILTERS);
  const filter = useMemo(() => filterOf(filters), [filters]);
  const { nodes, loading, loadingMore, hasMore, problem, more, reload } = usePages(RecordsQuery, { id: logId, filter, first: PAGE }, (data) => data.log?.records);
  const search = useRef<HTMLInputElement>(null);
  const section = useRef<HTMLElement>(null);
  const { hash, key } = useLocation();
  useEffect(() => { if (hash === "#records") section.current?.scrollIntoView(); }, [hash, key]);
  useShortcuts([{ keys: "/", does: "Search the records", run: () => search.current?.focus() }]);
  const { pattern, from, to } = filters;
  const shown = hasMore ? `the first ${nodes.length.toLocaleString("en")} are loaded; scroll for more` : formatCount(nodes.length, "record");
  return (
    <section aria-labelledby="records" ref={section} className={classes.section}>
      <Title order={2} size="h4" id="records" mb="xs">Records</Title>
      <Group component="search" gap="xs" mb="xs" align="flex-end">
        <FilterText ref={search} label="Text" type="search" placeholder="In the body" maxLength={200} value={filters.text ?? ""} onFilter={(text) => setFilter("text", text, { replace: true })} style={{ flex: "1 1 12rem" }} />
        <Select label="At least" placeholder="Any severity" data={[...SEVERITIES].reverse()} value={isSeverity(filters.severity) ? filters.severity : null} onChange={(value) => setFilter("severity", value)} clearable w={150} />
        {any && <Button variant="subtle" color="gray" onClick={clear}>Clear</Button>}
      </Group>
      <Group gap="xs" mb="xs">
        {pattern !== undefined && <Pill size="md" withRemoveButton onRemove={() => setFilter("pattern", null)} removeButtonProps={{ "aria-label": "Do not narrow by pattern", "aria-hidden": false, tabIndex: 0 }} maw="100%"><Template template={templateOf(pattern) ?? "one pattern"} /></Pill>}
        {(isMoment(from) || isMoment(to)) && (
          <Pill size="md" withRemoveButton removeButtonProps={{ "aria-label": "Do not narrow by time", "aria-hidden": false, tabIndex: 0 }} onRemove={() => { setFilter("from", null); setFilter("to", null, { replace: true }); }}>
            {isMoment(from) ? formatClock(from) : "the beginning"} to {isMoment(to) ? formatClock(to) : "the end"}
          </Pill>
        )}
        <Text size="xs" c="dimmed" role="status">{loading ? "Reading" : any ? `${shown}${hasMore ? "" : ` of ${recordCount.toLocaleString("en")}`}` : shown}</Text>
      </Group>
      {problem && <Trouble problem={problem} title="The records cannot be shown" retry={reload} />}
      {loading && <WaitingRows rows={20} height={20} />}
      {!loading && !problem && nodes.length === 0 && <Text size="sm" c="dimmed" py="xl" ta="center">No record passes these filters.</Text>}
      {nodes.length > 0 && <RecordList key={JSON.stringify(filter)} nodes={nodes} more={more} hasMore={hasMore} loadingMore={loadingMore} />}
    </section>
  );
}

type Node = { readonly id: string } & Parameters<typeof RecordRow>[0]["record"];

/** Only the rows in sight are on the page, so that ten thousand scroll like ten. */
function RecordList({ nodes, more, hasMore, loadingMore }: {
  readonly nodes: readonly Node[]; readonly more: () => void; readonly hasMore: boolean; readonly loadingMore: boolean;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  // eslint-disable-next-line react-hooks/incompatible-library -- the compiler is not used; rows are read anew on purpose
  const virtual = useVirtualizer({
    count: nodes.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PIXELS,
    getItemKey: (index) => nodes[index]?.id ?? index,
    overscan: 8,
    useFlushSync: false,
  });
  const rows = virtual.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !loadingMore && last >= nodes.length - PAGE / 2) more();
  }, [last, nodes.length, hasMore, loadingMore, more]);
  const toggle = useCallback((id: string) => setOpened((now) => {
    const next = new Set(now);
    if (!next.delete(id)) next.add(id);
    return next;
  }), []);
  return (
    <div ref={scroller} className={classes.list} tabIndex={0} role="region" aria-label="Records by line">
      <ol className={`${classes.all} ${lines.narrow}`} style={{ height: virtual.getTotalSize() }}>
        {rows.map(({ key, index, start }) => {
          const record = nodes[index];
          return record && (
            <li key={key} ref={virtual.measureElement} data-index={index} className={classes.row} style={{ transform: `translateY(${start}px)` }} aria-setsize={hasMore ? -1 : nodes.length} aria-posinset={index + 1}>
              <RecordRow record={record} opened={opened.has(record.id)} onToggle={toggle} />
            </li>
          );
        })}
      </ol>
    </div>
  );
}
