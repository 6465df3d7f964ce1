import { Anchor, Button, Code, Group, Stack, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useCallback, useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { useLoaded, usePages } from "../../app/data";
import { useShortcuts } from "../../app/keyboard";
import { useFilters } from "../../app/search";
import { urls } from "../../app/urls";
import { readFragment } from "../../gql";
import { Conflict } from "../../ui/Conflict";
import { Empty } from "../../ui/Empty";
import { PageHead } from "../../ui/PageHead";
import { Rows, useRowKeys } from "../../ui/Rows";
import { Trouble } from "../../ui/Trouble";
import { WaitingRows } from "../../ui/Waiting";
import { useActions } from "./actions";
import { useDeeds, type Deed, type Row } from "./deeds";
import { filterOf, FILTERS } from "./filters";
import { NewTicket } from "./NewTicket";
import { OptionsQuery, TicketRowFields, TicketsQuery } from "./queries";
import { TicketFilters } from "./TicketFilters";
import { TicketRow } from "./TicketRow";
import { useViewer } from "./viewer";
import { differences, type Option } from "./words";

const PAGE_SIZE = 50;
const NO_OPTIONS: readonly Option[] = [];

export default function TicketsPage() {
  const { person } = useViewer();
  return <List key={person.role} />;
}

function List() {
  const { person } = useViewer();
  const hr = person.role === "HR";
  const { filters, setFilter, clear, any } = useFilters(FILTERS);
  const [params, setParams] = useSearchParams();
  const pages = usePages(TicketsQuery, { filter: filterOf(filters, person.id), first: PAGE_SIZE }, (data) => data.tickets);
  const { data: choosable } = useLoaded(OptionsQuery, {});
  const options = choosable?.ticketOptions ?? NO_OPTIONS;
  const [changed, setChanged] = useState<ReadonlyMap<string, Row>>(() => new Map());
  const [gone, setGone] = useState<ReadonlySet<string>>(() => new Set());
  const rows = useMemo(() => readFragment(TicketRowFields, pages.nodes)
    .filter(({ id }) => !gone.has(id))
    .map((row) => newest(row, changed.get(row.id))), [pages.nodes, changed, gone]);
  const actions = useActions(options);
  const deeds = useDeeds({
    changed: useCallback((row: Row) => setChanged((now) => new Map(now).set(row.id, row)), []),
    gone: useCallback((id: string) => setGone((now) => new Set(now).add(id)), []),
  });
  const keys = useRowKeys(rows.length);
  const search = useRef<HTMLInputElement>(null);
  const current = rows[keys.current];

  const opening = params.get("new") === "1";
  const open = (wanted: boolean) => setParams((now) => {
    const next = new URLSearchParams(now);
    if (wanted) next.set("new", "1");
    else next.delete("new");
    return next;
  });
  const perform = (deed: Deed | undefined) => { if (current && deed && !deeds.busy) void deeds.perform(current, deed); };
  const accept = current && actions.accepted(current);
  const resolve = current && actions.moved(current, "RESOLVED");
  const take = current && current.assignee?.id !== person.id ? actions.assigned(current, person) : undefined;
  useShortcuts([
    { keys: "/", does: "Search the tickets", run: () => search.current?.focus() },
    { keys: "j", does: "Next ticket", run: () => { keys.next(); if (keys.current >= rows.length - 2) pages.more(); } },
    { keys: "k", does: "Previous ticket", run: keys.previous },
    { keys: "c", does: "New ticket", run: () => open(true) },
    { keys: "a", does: "Accept the triage of the chosen ticket", run: () => perform(accept) },
    { keys: "i", does: "Assign the chosen ticket to me", run: () => perform(take) },
    { keys: "e", does: "Resolve the chosen ticket", run: () => perform(resolve) },
    { keys: "z", does: "Undo the last step", run: deeds.undoLast },
    { keys: "r", does: "Read the list again", run: pages.reload },
  ]);

  const count = `${rows.length}${pages.hasMore ? "+" : ""} ${rows.length === 1 ? "ticket" : "tickets"}`;
  return (
    <>
      <PageHead title="Tickets" about={hr ? "People matters (payroll, leave, conduct): seen by hr and admins alone" : undefined}>
        <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => open(true)}>New ticket</Button>
      </PageHead>
      <TicketFilters filters={filters} setFilter={setFilter} clear={clear} any={any} options={options} search={search} />
      <Stack gap="sm">
        <Group gap="xs" mih={30} justify="space-between">
          <Text size="sm" c="dimmed" role="status">{pages.loading ? "Reading the list" : count}</Text>
          {current ? (
            <Group gap="xs" role="group" aria-label={`Chosen: ${current.title}`}>
              {accept && <Button size="compact-sm" variant="default" onClick={() => perform(accept)} disabled={deeds.busy}>Accept triage (a)</Button>}
              {take && <Button size="compact-sm" variant="default" onClick={() => perform(take)} disabled={deeds.busy}>Assign to me (i)</Button>}
              {resolve && <Button size="compact-sm" variant="default" onClick={() => perform(resolve)} disabled={deeds.busy}>Resolve (e)</Button>}
            </Group>
          ) : rows.length > 0 && <Text size="xs" c="dimmed" visibleFrom="sm">j and k choose a ticket, Enter opens it</Text>}
        </Group>
        {deeds.clash && <Conflict mine={deeds.clash.deed.mine} theirs={differences(deeds.clash.read, deeds.clash.now, options)} busy={deeds.busy}
          keepMine={() => { if (deeds.clash) void deeds.perform(deeds.clash.now, deeds.clash.deed); }} takeTheirs={deeds.dismiss} />}
        {deeds.problem && <Trouble problem={deeds.problem} />}
        {pages.problem && <Trouble problem={pages.problem} title="The list cannot be read just now" retry={pages.reload} />}
        {pages.loading ? <WaitingRows height={58} /> : rows.length > 0 ? (
          <Rows label={hr ? "People matters" : "Tickets"} items={rows} keyOf={({ id }) => id} hrefOf={({ id }) => urls.ticket(id)} current={keys.current} onCurrent={keys.choose}>
            {(row) => <TicketRow row={row} options={options} viewerId={person.id} />}
          </Rows>
        ) : !pages.problem && <Nothing any={any} hr={hr} clear={clear} />}
        {pages.hasMore && <Button variant="default" onClick={pages.more} loading={pages.loadingMore}>Show more</Button>}
      </Stack>
      {opening && <NewTicket options={options} close={() => open(false)} />}
    </>
  );
}

function newest(row: Row, other: Row | undefined): Row {
  return other && other.version > row.version ? other : row;
}

function Nothing({ any, hr, clear }: { readonly any: boolean; readonly hr: boolean; readonly clear: () => void }) {
  if (any) return <Empty title="No ticket is like that">Take a filter away, or <Anchor component="button" size="sm" onClick={clear}>clear them all</Anchor>. Tickets that are resolved or closed show with status “All”.</Empty>;
  if (hr) return <Empty title="No people matter waits">What is told about payroll, leave or conduct appears here. Press c to write down what somebody told you.</Empty>;
  return (
    <Empty title="Nothing is to be done">
      Press c to write a ticket, or send some from a shell:
      <Code block mt="xs" ta="start" tabIndex={0}>{'aiops tickets create "Checkout answers 502" -m "since 10:05, every order" --service checkout --wait\naiops tickets import tickets.csv'}</Code>
    </Empty>
  );
}
