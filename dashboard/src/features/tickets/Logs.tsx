import { ActionIcon, Anchor, Badge, Button, Card, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconUnlink } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router";
import type { Problem } from "../../app/problem";
import { urls } from "../../app/urls";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { MissingPart } from "../../ui/Trouble";
import type { Actions } from "./actions";
import type { Deed, Row } from "./deeds";
import { idsIn } from "./words";

const TicketLogs = graphql(`
  fragment TicketLogs on Ticket {
    logs { id name severity recordCount state summary { sentences { text } } }
  }
`);

/** The logs that belong to a ticket, with the first thing that each says. */
export function Logs({ row, ticket, actions, perform, busy, problem, retry }: {
  readonly row: Row; readonly ticket: FragmentType<typeof TicketLogs>; readonly actions: Actions; readonly perform: (deed: Deed) => Promise<boolean>; readonly busy: boolean;
  readonly problem: Problem | undefined; readonly retry: () => void;
}) {
  const { logs } = readFragment(TicketLogs, ticket);
  const known = logs?.filter((log) => log !== null);
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState<string>();

  async function link(): Promise<void> {
    const ids = idsIn(text);
    if (ids.length === 0) {
      setWrong("Paste the address of a log's page, or its id.");
      return;
    }
    setWrong(undefined);
    if (await perform(actions.linked(row, ids))) setText("");
  }

  return (
    <Card withBorder padding="md" component="section" aria-labelledby="logs">
      <Title order={2} size="h5" id="logs" mb="xs">Logs</Title>
      <Stack gap="xs">
        {known?.length === 0 && problem === undefined && <Text size="sm" c="dimmed">None yet. Paste the address of a log to see here what it says.</Text>}
        {known?.map((log) => (
          <Group key={log.id} gap="xs" wrap="nowrap" align="flex-start" justify="space-between">
            <div style={{ minWidth: 0 }}>
              <Group gap={6}>
                <Badge variant="default">{log.severity ?? "no severity"}</Badge>
                <Anchor component={Link} to={urls.log(log.id)} size="sm" style={{ overflowWrap: "anywhere" }}>{log.name}</Anchor>
                <Text size="xs" c="dimmed">{log.recordCount} {log.recordCount === 1 ? "record" : "records"}</Text>
              </Group>
              <Text size="xs" mt={2}>{log.summary?.sentences[0]?.text ?? (log.state === "FAILED" ? "No summary could be made." : "Its summary is being made.")}</Text>
            </div>
            <ActionIcon variant="default" size="md" aria-label={`Unlink ${log.name}`} disabled={busy} onClick={() => void perform(actions.unlinked(row, [log.id]))}><IconUnlink size={16} /></ActionIcon>
          </Group>
        ))}
        {(problem !== undefined || !logs) && <MissingPart what="Some of its logs" problem={problem ?? { code: "UNAVAILABLE", message: "they were not told." }} retry={retry} />}
        <form onSubmit={(event) => { event.preventDefault(); void link(); }}>
          <Group gap="xs" align="flex-end" wrap="nowrap">
            <TextInput label="Link a log" placeholder="Address or id" flex={1} value={text} error={wrong} onChange={(event) => setText(event.currentTarget.value)} />
            <Button type="submit" variant="default" disabled={busy || text.trim() === ""}>Link</Button>
          </Group>
        </form>
      </Stack>
    </Card>
  );
}
