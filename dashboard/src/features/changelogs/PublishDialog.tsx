import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useWrite } from "../../app/data";
import { ChangesSince } from "../../app/history/ChangesSince";
import type { Problem } from "../../app/problem";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { Conflict } from "../../ui/Conflict";
import { Trouble } from "../../ui/Trouble";
import { changelogName } from "./account";
import { PublishMutation } from "./queries";

export const PublishFields = graphql(`
  fragment PublishFields on Changelog {
    id
    version
    state
    highlightState
    publishedAt
    toRef
    nextVersion
    repository { id name }
    publishedBy { id displayName }
  }
`);

/** Asks once more: what is published never changes again. */
export function PublishDialog({ changelog, close, reload }: { readonly changelog: FragmentType<typeof PublishFields>; readonly close: () => void; readonly reload: () => void }) {
  const it = readFragment(PublishFields, changelog);
  const { write, busy } = useWrite(PublishMutation);
  const [problem, setProblem] = useState<Problem>();
  const conflict = problem?.code === "VERSION_CONFLICT";

  async function publish(): Promise<void> {
    const done = await write({ changelogId: it.id, expectedVersion: it.version });
    setProblem(done.problem);
    if (done.ok) close();
    else if (done.problem.code === "VERSION_CONFLICT" || done.problem.code === "CHANGELOG_PUBLISHED") reload();
  }

  return (
    <Modal opened onClose={close} title={`Publish ${changelogName(it)}`}>
      <Stack gap="sm">
        <Text size="sm">Everybody who may read changelogs sees it from then on, hr included. Publishing freezes it: the notes, the highlights and the version never change again, and there is no way back to a draft.</Text>
        {it.highlightState === "PENDING" && <Alert color="yellow" variant="light" title="The highlights are still being worded">Published now, it never gets any. They take a few seconds.</Alert>}
        {conflict
          ? <Conflict mine="publish it" theirs={`the draft in version ${it.version}, highlights ${it.highlightState?.toLowerCase() ?? "unknown"}`} since={<ChangesSince changes={problem.changesSince} />} keepMine={() => void publish()} takeTheirs={close} busy={busy} />
          : problem && <Trouble problem={problem} title="It is not published" />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>Cancel</Button>
          {!conflict && <Button onClick={() => void publish()} loading={busy} data-autofocus>Publish for good</Button>}
        </Group>
      </Stack>
    </Modal>
  );
}
