import { Badge, Button, Card, Checkbox, Group, Stack, Text, Textarea, Title } from "@mantine/core";
import { useEffect, useImperativeHandle, useRef, useState, type Ref } from "react";
import { ChangesSince } from "../../app/history/ChangesSince";
import { useDraft } from "../../app/draft";
import { useLoaded, useWrite } from "../../app/data";
import { problemAt, type Problem } from "../../app/problem";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { Conflict } from "../../ui/Conflict";
import { Moment } from "../../ui/Moment";
import { MissingPart, Trouble } from "../../ui/Trouble";
import { WaitingRows } from "../../ui/Waiting";
import { outcome, useDeeds, type Deed, type Row } from "./deeds";
import classes from "./Marked.module.css";
import { AddTicketComment } from "./queries";
import { differences, type Option } from "./words";

const TicketComments = graphql(`
  fragment TicketComments on Ticket {
    comments(first: 30) { ...CommentPage }
  }
`);

const CommentPage = graphql(`
  fragment CommentPage on CommentConnection {
    nodes { id body internal createdAt authorActor { kind id } author { id displayName } }
    pageInfo { hasNextPage endCursor }
  }
`);

const MoreComments = graphql(`
  query MoreComments($id: ID!, $after: String) { ticket(id: $id) { id comments(first: 30, after: $after) { ...CommentPage } } }
`);

const MAXIMUM_CHARACTERS = 10_000;

/** What was said on a ticket, and a place to say more. What is typed there survives everything but being sent. */
export function Comments({ row, ticket, options, problem, retry, gone, field }: {
  readonly row: Row; readonly ticket: FragmentType<typeof TicketComments>; readonly options: readonly Option[]; readonly problem: Problem | undefined; readonly retry: () => void;
  readonly gone: (id: string) => void; readonly field: Ref<{ focus: () => void }>;
}) {
  const { comments } = readFragment(TicketComments, ticket);
  const [all, setAll] = useState(false);
  return (
    <Card withBorder padding="md" component="section" aria-labelledby="comments">
      <Title order={2} size="h5" id="comments" mb="xs">Comments ({row.commentCount})</Title>
      <Stack gap="sm">
        {comments ? <Page id={row.id} count={row.commentCount} page={comments} all={all} /> : <MissingPart what="What was said" problem={problem ?? { code: "UNAVAILABLE", message: "it was not told." }} retry={retry} />}
        <CommentForm row={row} options={options} gone={gone} field={field} said={() => setAll(true)} />
      </Stack>
    </Card>
  );
}

function Page({ id, count, page, all }: { readonly id: string; readonly count: number; readonly page: FragmentType<typeof CommentPage>; readonly all: boolean }) {
  const { nodes, pageInfo } = readFragment(CommentPage, page);
  const [asked, setAsked] = useState(false);
  return (
    <>
      {nodes.map((comment) => (
        <article key={comment.id} aria-label={`Comment of ${comment.author?.displayName ?? comment.authorActor.id}`}>
          <Group gap="xs" mb={2}>
            <Text size="sm" fw={600}>{comment.author?.displayName ?? (comment.authorActor.kind === "USER" ? "Somebody" : comment.authorActor.id)}</Text>
            <Text size="xs" c="dimmed" component="span"><Moment at={comment.createdAt} /></Text>
            {comment.internal && <Badge variant="default" tt="none" fw={500}>internal</Badge>}
          </Group>
          <p className={classes.text}>{comment.body}</p>
        </article>
      ))}
      {pageInfo.hasNextPage && (asked || all ? <Next id={id} count={count} after={pageInfo.endCursor ?? ""} all={all} /> : <Button variant="default" size="compact-sm" onClick={() => setAsked(true)}>Show later comments</Button>)}
    </>
  );
}

function Next({ id, count, after, all }: { readonly id: string; readonly count: number; readonly after: string; readonly all: boolean }) {
  const { data, error, problem, loading, reload } = useLoaded(MoreComments, { id, after });
  const seen = useRef(count);
  useEffect(() => {
    if (seen.current !== count) reload();
    seen.current = count;
  }, [count, reload]);
  if (data?.ticket?.comments) return <Page id={id} count={count} page={data.ticket.comments} all={all} />;
  if (loading) return <WaitingRows rows={2} />;
  return <MissingPart what="Later comments" problem={problemAt(error, "ticket") ?? problem ?? { code: "UNAVAILABLE", message: "they were not told." }} retry={reload} />;
}

function CommentForm({ row, options, gone, field, said }: {
  readonly row: Row; readonly options: readonly Option[]; readonly gone: (id: string) => void; readonly field: Ref<{ focus: () => void }>; readonly said: () => void;
}) {
  const [draft, setDraft, clear] = useDraft(`comment:${row.id}`, { body: "", internal: false });
  const { write } = useWrite(AddTicketComment, { adds: true });
  const { perform, busy, problem, clash, dismiss } = useDeeds({ gone });
  const input = useRef<HTMLTextAreaElement>(null);
  useImperativeHandle(field, () => ({ focus: () => input.current?.focus() }));
  const length = Array.from(draft.body.trim()).length;
  const tooLong = length > MAXIMUM_CHARACTERS ? `A comment has at most ${MAXIMUM_CHARACTERS} characters, this has ${length}.` : undefined;

  function send(read: Row): void {
    if (length === 0 || tooLong !== undefined || busy) return;
    const { body, internal } = draft;
    const deed: Deed = {
      mine: body, then: () => { clear(); said(); },
      send: async (expectedVersion) => outcome(await write({ ticketId: row.id, expectedVersion, body: body.trim(), internal })),
    };
    void perform(read, deed);
  }
  const inField = problem?.fields?.find(({ path }) => path === "body")?.message;

  return (
    <form onSubmit={(event) => { event.preventDefault(); send(row); }}>
      <Stack gap="xs">
        {clash && <Conflict mine={`comment “${clash.deed.mine}”`} theirs={differences(clash.read, clash.now, options)} since={<ChangesSince changes={clash.since} />} keepMine={() => send(clash.now)} takeTheirs={() => { clear(); dismiss(); }} busy={busy} />}
        {problem && inField === undefined && <Trouble problem={problem} title="The comment is not sent" retry={() => send(row)} />}
        <Textarea ref={input} label="Add a comment" autosize minRows={3} maxRows={16} value={draft.body} error={tooLong ?? inField}
          onChange={(event) => setDraft({ ...draft, body: event.currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send(row);
            if (event.key === "Escape") event.currentTarget.blur();
          }} />
        <Group justify="space-between" gap="xs">
          <Checkbox label="Internal: the reporter does not see it" checked={draft.internal} onChange={(event) => setDraft({ ...draft, internal: event.currentTarget.checked })} />
          <Button type="submit" size="compact-md" loading={busy} disabled={length === 0 || tooLong !== undefined}>Comment (Ctrl+Enter)</Button>
        </Group>
      </Stack>
    </form>
  );
}
