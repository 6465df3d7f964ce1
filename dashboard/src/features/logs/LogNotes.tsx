import { Button, Group, Stack, Text, Textarea, Title } from "@mantine/core";
import { useState } from "react";
import { useWrite } from "../../app/data";
import { ChangesSince } from "../../app/history/ChangesSince";
import { useDraft } from "../../app/draft";
import type { Problem } from "../../app/problem";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { Conflict } from "../../ui/Conflict";
import { Trouble } from "../../ui/Trouble";
import { useLogChange } from "./change";
import { UpdateLog } from "./queries";

export const LogNotesFragment = graphql(`
  fragment LogNotes on Log {
    id
    version
    notes
  }
`);

interface Draft {
  readonly text: string;
  /** What was there when the writing began: other notes than these mean that somebody was faster. */
  readonly base: string;
}

/** What people write about a log. It is saved when they say so, never over what somebody else saved unseen. */
export function LogNotes({ log: ref }: { readonly log: FragmentType<typeof LogNotesFragment> }) {
  const log = readFragment(LogNotesFragment, ref);
  const { write, busy } = useWrite(UpdateLog);
  const change = useLogChange(log.id);
  const [draft, setDraft, clearDraft] = useDraft<Draft | null>(`notes of log ${log.id}`, null);
  const [problem, setProblem] = useState<Problem>();
  const [since, setSince] = useState<Problem["changesSince"]>();
  const [asked, setAsked] = useState(false);
  const text = draft?.text ?? log.notes;
  const dirty = draft !== null && draft.text !== log.notes;
  const conflict = dirty && asked && draft.base !== log.notes;

  async function save(mine: Draft): Promise<void> {
    setAsked(true);
    setProblem(undefined);
    if (mine.base !== log.notes || busy) return;
    const { result, theirs } = await change(log.version, (expectedVersion) => write({ logId: log.id, expectedVersion, notes: mine.text }), (now) => now.notes === mine.base);
    setSince(result.problem?.changesSince);
    if (result.ok) {
      clearDraft();
      setAsked(false);
    } else if (theirs === undefined) {
      setProblem(result.problem);
    }
  }

  function drop(): void {
    clearDraft();
    setAsked(false);
    setProblem(undefined);
  }

  return (
    <section aria-labelledby="notes">
      <Title order={2} size="h5" id="notes" mb="xs">Notes</Title>
      <form onSubmit={(event) => { event.preventDefault(); if (draft) void save(draft); }}>
        <Stack gap="xs">
          {conflict && (
            <Conflict theirs={<Text component="span" inherit style={{ whiteSpace: "pre-wrap" }}>{log.notes === "" ? "nothing" : log.notes}</Text>} mine={<Text component="span" inherit style={{ whiteSpace: "pre-wrap" }}>{draft.text === "" ? "nothing" : draft.text}</Text>}
              since={<ChangesSince changes={since} />} keepMine={() => { const mine = { text: draft.text, base: log.notes }; setDraft(mine); void save(mine); }} takeTheirs={drop} busy={busy} />
          )}
          <Textarea aria-labelledby="notes" autosize minRows={3} maxRows={16} maxLength={10_000} value={text} placeholder="What you found, what you did"
            onChange={(event) => setDraft({ text: event.currentTarget.value, base: draft?.base ?? log.notes })}
            onKeyDown={(event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit(); }} />
          {problem && <Trouble problem={problem} title="The notes are not saved" />}
          {dirty && (
            <Group gap="xs">
              <Button type="submit" size="compact-sm" loading={busy}>Save the notes</Button>
              <Button size="compact-sm" variant="default" onClick={drop}>Discard</Button>
              <Text size="xs" c="dimmed">Not saved yet. Ctrl+Enter saves.</Text>
            </Group>
          )}
        </Stack>
      </form>
    </section>
  );
}
