import { Autocomplete, Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { useNavigate } from "react-router";
import { useLoaded, useWrite } from "../../app/data";
import { useDraft } from "../../app/draft";
import type { Problem } from "../../app/problem";
import { urls } from "../../app/urls";
import { Trouble } from "../../ui/Trouble";
import { many } from "./account";
import { PushHint } from "./PushHint";
import { GenerateMutation, RevisionsQuery } from "./queries";

interface Repository {
  readonly id: string;
  readonly name: string;
  readonly commitCount: number;
}

/** Makes a draft of a range of pushed commits, and goes to it. */
export function NewDraft({ opened, close, repositories, chosen }: {
  readonly opened: boolean; readonly close: () => void; readonly repositories: readonly Repository[]; readonly chosen?: string;
}) {
  return (
    <Modal opened={opened} onClose={close} title="New draft" size="lg">
      {repositories.length === 0 ? <PushHint /> : <DraftForm repositories={repositories} chosen={chosen ?? repositories[0]?.name ?? ""} close={close} />}
    </Modal>
  );
}

function DraftForm({ repositories, chosen, close }: { readonly repositories: readonly Repository[]; readonly chosen: string; readonly close: () => void }) {
  const navigate = useNavigate();
  const [draft, setDraft, clear] = useDraft("new-changelog", { repository: "", from: "", to: "", previous: "" });
  const { from, to, previous } = draft;
  const repository = repositories.some(({ name }) => name === draft.repository) ? draft.repository : chosen;
  const [problem, setProblem] = useState<Problem>();
  const revisions = useLoaded(RevisionsQuery, { repository });
  const generate = useWrite(GenerateMutation);
  const commits = revisions.data?.commits?.nodes;
  const tags = useMemo(() => [...new Set((commits ?? []).flatMap((commit) => commit.tags))], [commits]);
  const newest = commits?.[0];

  async function submit(): Promise<void> {
    const made = await generate.write({
      repository,
      range: { toRef: to.trim() || (newest?.sha ?? ""), fromRef: from.trim() || null },
      previousVersion: previous.trim() || null,
    });
    setProblem(made.problem);
    if (!made.ok) return;
    clear();
    close();
    void navigate(urls.changelog(made.ok.changelog.id));
  }

  return (
    <form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
      <Stack gap="sm">
        {problem && <Trouble problem={problem} title="No draft was made" />}
        <NativeSelect label="Repository" value={repository} onChange={(event) => setDraft({ ...draft, repository: event.currentTarget.value })}
          data={repositories.map(({ name, commitCount }) => ({ value: name, label: `${name} (${many(commitCount, "commit")})` }))} />
        <Group grow align="flex-start" preventGrowOverflow={false}>
          <Autocomplete label="From, not included" description="A tag or a hash; empty for the beginning" data={tags} comboboxProps={{ withinPortal: false }} value={from} onChange={(value) => setDraft({ ...draft, from: value })} data-autofocus autoCapitalize="off" spellCheck={false} miw={220} />
          <Autocomplete label="To, included" description={newest ? `Empty for the newest commit, ${newest.sha.slice(0, 8)}` : "A tag or a hash"} data={tags} comboboxProps={{ withinPortal: false }} value={to} onChange={(value) => setDraft({ ...draft, to: value })} required={commits !== undefined && newest === undefined} autoCapitalize="off" spellCheck={false} miw={220} />
        </Group>
        <TextInput label="Version before" description="Such as 1.4.2; empty: what From is tagged with" value={previous} onChange={(event) => setDraft({ ...draft, previous: event.currentTarget.value })} autoCapitalize="off" spellCheck={false} />
        <Text size="xs" c="dimmed">
          {revisions.problem ? `Tags cannot be suggested just now: ${revisions.problem.message}` : tags.length > 0 ? "The fields suggest the tags of the newest 100 commits; any tag or hash that was pushed will do." : "The newest 100 commits have no tag; a hash will do, or as much of its start as one commit alone has."}
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" loading={generate.busy}>Make the draft</Button>
        </Group>
      </Stack>
    </form>
  );
}
