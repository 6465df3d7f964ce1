import { Badge, Card, Group, Stack } from "@mantine/core";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useNavigate, useParams } from "react-router";
import { useLoaded, useUpdates } from "../../app/data";
import { ChangesSince } from "../../app/history/ChangesSince";
import { HistoryTabs } from "../../app/history/HistoryTabs";
import { useShortcuts, type Shortcut } from "../../app/keyboard";
import { problemAt } from "../../app/problem";
import { urls } from "../../app/urls";
import { graphql, readFragment } from "../../gql";
import type { TicketPageQuery as TicketPageData } from "../../gql/graphql";
import { Conflict } from "../../ui/Conflict";
import { Moment } from "../../ui/Moment";
import { PageHead } from "../../ui/PageHead";
import { Trouble } from "../../ui/Trouble";
import { WaitingRows } from "../../ui/Waiting";
import { useActions } from "./actions";
import { Changes, Origin, Similar } from "./Around";
import { Comments } from "./Comments";
import { useDeeds, type Deed } from "./deeds";
import { Logs } from "./Logs";
import { Marked, type Pointing } from "./Marked";
import classes from "./Marked.module.css";
import { NotThere } from "./NotThere";
import { PeopleCard } from "./PeopleCard";
import { TicketLive, TicketNow, TicketPageQuery, TicketRowFields } from "./queries";
import { reasonsOf, TicketTriage } from "./reasons";
import { TriageCard } from "./TriageCard";
import { TriageSuggestion } from "./TriageSuggestion";
import { useViewer } from "./viewer";
import layout from "./TicketPage.module.css";
import { WorkCard } from "./WorkCard";
import { differences, STATUS_KEYS, STATUS_NAMES, type Option } from "./words";
import type { TicketStatus } from "../../gql/graphql";

const TicketText = graphql(`
  fragment TicketText on Ticket { description }
`);

const NO_OPTIONS: readonly Option[] = [];
/** What the service says of an address that holds no id at all. */
const NO_TICKET = new Set(["INVALID_ARGUMENT", "NOT_FOUND", "TICKET_NOT_FOUND"]);

export default function TicketPage() {
  const { id = "" } = useParams();
  const { person } = useViewer();
  return <Loading key={`${id} ${person.role}`} id={id} />;
}

function Loading({ id }: { readonly id: string }) {
  const { seesSystems, isAdmin } = useViewer();
  const { data, loading, problem, error, reload } = useLoaded(TicketPageQuery, { id, systems: seesSystems, admin: isAdmin }, { unseen: true });
  const [gone, setGone] = useState(false);
  const leave = useCallback(() => { setGone(true); reload(); }, [reload]);
  const ticket = gone ? null : data?.ticket;
  const ended = useUpdates(TicketLive, { id, systems: seesSystems }, { pause: !ticket });
  // Whatever ended it, the ticket may be gone: only the server knows.
  useEffect(() => { if (ended !== undefined) reload(); }, [ended, reload]);
  const failed = problemAt(error, "ticket");
  const unread = failed && error?.graphQLErrors.some(({ path }) => path?.length === 1 && path[0] === "ticket") ? failed : problem;

  if (ticket && data) return <Detail ticket={ticket} data={data} part={(name) => problemAt(error, "ticket", name)} reload={reload} leave={leave} />;
  if (loading) return <><PageHead title="Ticket" /><WaitingRows rows={6} height={88} /></>;
  if (!gone && unread && !NO_TICKET.has(unread.code)) return <><PageHead title="Ticket" /><Trouble problem={unread} title="The ticket cannot be read just now" retry={reload} /></>;
  return <NotThere />;
}

function Detail({ ticket, data, part, reload, leave }: {
  readonly ticket: NonNullable<TicketPageData["ticket"]>; readonly data: TicketPageData; readonly part: (name: string) => ReturnType<typeof problemAt>; readonly reload: () => void; readonly leave: () => void;
}) {
  const now = readFragment(TicketNow, ticket);
  const row = readFragment(TicketRowFields, now);
  const { triage, triageSuggestion } = readFragment(TicketTriage, now);
  const { description } = readFragment(TicketText, now);
  const { person, seesSystems } = useViewer();
  const options = data.ticketOptions ?? NO_OPTIONS;
  const actions = useActions(options);
  const { perform: performOn, busy, problem, clash, dismiss, undoLast } = useDeeds({ gone: leave });
  const perform = useCallback((deed: Deed) => performOn(row, deed), [performOn, row]);
  const reasons = useMemo(() => reasonsOf(triage), [triage]);
  const [active, setActive] = useState<ReadonlySet<string>>(() => new Set());
  const pointing: Pointing = useMemo(() => ({ active, point: (ids) => setActive(new Set(ids)) }), [active]);
  const comment = useRef<{ focus: () => void }>(null);
  const navigate = useNavigate();

  const offered = (key: string, does: string, deed: Deed | undefined): Shortcut[] => (deed ? [{ keys: key, does, run: () => { if (!busy) void perform(deed); } }] : []);
  useShortcuts([
    ...offered("a", "Accept what triage decided", actions.accepted(row)),
    ...(Object.keys(STATUS_KEYS) as TicketStatus[]).flatMap((status) => offered(STATUS_KEYS[status].key, STATUS_KEYS[status].verb, actions.moved(row, status))),
    ...(row.assignee?.id === person.id ? [] : offered("i", "Assign to me", actions.assigned(row, person))),
    ...(row.assignee ? offered("u", "Unassign", actions.assigned(row, null)) : []),
    { keys: "c", does: "Write a comment", run: () => comment.current?.focus() },
    { keys: "z", does: "Undo the last step", run: undoLast },
    { keys: "b", does: "Back to the tickets", run: () => void navigate(urls.tickets) },
  ]);

  const given = { row, actions, perform: (deed: Deed) => void perform(deed), busy, pointing };
  const shown = <Marked text={row.title} reasons={reasons.filter(({ field }) => field === "TITLE")} pointing={pointing} />;
  return (
    <>
      <PageHead title={row.title} shown={shown} about={<Group gap={6}><Badge variant="default" tt="none">{row.status ? STATUS_NAMES[row.status] : "unknown"}</Badge>told <Moment at={row.createdAt} />{row.service == null ? "" : ` about ${row.service}`}</Group>} />
      <Stack gap="md">
        {clash && <Conflict mine={clash.deed.mine} theirs={differences(clash.read, clash.now, options)} since={<ChangesSince changes={clash.since} />} keepMine={() => void performOn(clash.now, clash.deed)} takeTheirs={dismiss} busy={busy} />}
        {problem && <Trouble problem={problem} retry={undefined} />}
        <PeopleCard {...given} reasons={reasons.filter(({ about }) => about === "people")} />
        <HistoryTabs target={{ ticketId: row.id }} version={row.version} what="ticket">
          <div className={layout.page}>
            <Card withBorder padding="md" component="section" aria-label="Message">
              <p className={classes.text}>{description === "" ? <i>No text besides the title.</i> : <Marked text={description} reasons={reasons.filter(({ field }) => field === "MESSAGE")} pointing={pointing} />}</p>
            </Card>
            <Stack gap="md" className={layout.side ?? ""}>
              <WorkCard {...given} users={data.users?.nodes} />
              <TriageSuggestion {...given} suggestion={triageSuggestion} options={options} />
              <TriageCard {...given} triage={triage} reasons={reasons} options={options} />
              <Origin ticket={ticket} hidesEmail={person.role === "OPS"} />
            </Stack>
            <Stack gap="md">
              <Comments row={row} ticket={now} options={options} problem={part("comments")} retry={reload} gone={leave} field={comment} />
              {seesSystems && <Changes ticket={ticket} problem={part("changesBefore")} retry={reload} />}
              {seesSystems && <Logs row={row} ticket={now} actions={actions} perform={perform} busy={busy} problem={part("logs")} retry={reload} />}
              <Similar ticket={ticket} problem={part("similar")} retry={reload} />
            </Stack>
          </div>
        </HistoryTabs>
      </Stack>
    </>
  );
}
