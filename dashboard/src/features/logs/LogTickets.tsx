import { Anchor, Badge, Button, Group, Stack, Text, Textarea, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import type { CombinedError } from "urql";
import { useWrite } from "../../app/data";
import { useDraft } from "../../app/draft";
import { useShortcuts } from "../../app/keyboard";
import { NETWORK, problemAt, type Problem } from "../../app/problem";
import { urls } from "../../app/urls";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { MissingPart, Trouble } from "../../ui/Trouble";
import { CreateTicketFromLog } from "./queries";

export const LogTicketsFragment = graphql(`
  fragment LogTickets on Log {
    id
    name
    service
    tickets(first: 20) { id title status }
    summary { sentences { text } }
  }
`);

interface Draft {
  readonly title: string;
  readonly message: string;
}

/** The tickets that this log belongs to, and the way to another one. */
export function LogTickets({ log: ref, error, reload }: {
  readonly log: FragmentType<typeof LogTicketsFragment>; readonly error: CombinedError | undefined; readonly reload: () => void;
}) {
  const log = readFragment(LogTicketsFragment, ref);
  const [draft, setDraft, clearDraft] = useDraft<Draft | null>(`ticket of log ${log.id}`, null);
  const sentences = log.summary?.sentences.map(({ text }) => text) ?? [];
  const begin = (): void => setDraft({ title: `${log.name}: ${sentences[0] ?? "needs a look"}`.slice(0, 200), message: sentences.join("\n") });
  useShortcuts([{ keys: "t", does: "Create a ticket from this log", run: () => { if (!draft) begin(); } }]);
  const failed = problemAt(error, "log", "tickets");
  return (
    <section aria-labelledby="tickets">
      <Title order={2} size="h5" id="tickets" mb="xs">Tickets</Title>
      {!log.tickets && <MissingPart what="The tickets" problem={failed ?? NETWORK} retry={reload} />}
      {log.tickets?.length === 0 && <Text size="sm" c="dimmed" mb="xs">No ticket names this log.</Text>}
      {log.tickets && log.tickets.length > 0 && (
        <Stack component="ul" gap={6} p={0} m={0} mb="xs" style={{ listStyle: "none" }}>
          {log.tickets.map((ticket) => (
            <li key={ticket.id}>
              <Anchor component={Link} to={urls.ticket(ticket.id)} size="sm" style={{ overflowWrap: "anywhere" }}>{ticket.title}</Anchor>{" "}
              <Badge variant="default" size="sm" tt="none" fw={500}>{ticket.status?.toLowerCase().replace("_", " ") ?? "unknown"}</Badge>
            </li>
          ))}
        </Stack>
      )}
      {draft
        ? <NewTicket logId={log.id} service={log.service ?? null} draft={draft} setDraft={setDraft} done={clearDraft} created={reload} />
        : <Button size="compact-sm" variant="default" onClick={begin}>Create a ticket from this log</Button>}
    </section>
  );
}

function NewTicket({ logId, service, draft, setDraft, done, created }: {
  readonly logId: string; readonly service: string | null; readonly draft: Draft; readonly setDraft: (draft: Draft) => void; readonly done: () => void; readonly created: () => void;
}) {
  const { write, busy } = useWrite(CreateTicketFromLog);
  const [problem, setProblem] = useState<Problem>();

  async function create(): Promise<void> {
    const { ok, problem: refused } = await write({ title: draft.title.trim(), description: draft.message, source: "web", logIds: [logId], ...(service === null ? {} : { service }) });
    setProblem(refused);
    if (ok) {
      done();
      created();
    }
  }

  return (
    <form aria-label="New ticket" onSubmit={(event) => { event.preventDefault(); void create(); }}>
      <Stack gap="xs">
        <TextInput label="Title" required maxLength={200} autoFocus value={draft.title} onChange={(event) => setDraft({ ...draft, title: event.currentTarget.value })} />
        <Textarea label="Message" autosize minRows={3} maxRows={12} maxLength={20_000} value={draft.message} onChange={(event) => setDraft({ ...draft, message: event.currentTarget.value })}
          onKeyDown={(event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit(); }} />
        {problem && <Trouble problem={problem} title="The ticket is not created" />}
        <Group gap="xs">
          <Button type="submit" size="compact-sm" loading={busy}>Create the ticket</Button>
          <Button size="compact-sm" variant="default" onClick={done}>Discard</Button>
        </Group>
      </Stack>
    </form>
  );
}
