import { Alert, Button, Group, Text } from "@mantine/core";
import { IconGitMerge } from "@tabler/icons-react";
import type { ReactNode } from "react";

/** Somebody was faster. What was typed stays; the person sees both and decides. */
export function Conflict({ mine, theirs, keepMine, takeTheirs, busy = false }: {
  readonly mine: ReactNode; readonly theirs: ReactNode; readonly keepMine: () => void; readonly takeTheirs: () => void; readonly busy?: boolean;
}) {
  return (
    <Alert role="alert" color="yellow" variant="light" icon={<IconGitMerge aria-hidden />} title="Somebody changed this while you were at it">
      <Text size="sm">There now: {theirs}</Text>
      <Text size="sm">Yours, not saved yet: {mine}</Text>
      <Group gap="xs" mt="xs">
        <Button size="compact-sm" onClick={keepMine} loading={busy}>Save mine over it</Button>
        <Button size="compact-sm" variant="default" onClick={takeTheirs}>Take theirs</Button>
      </Group>
    </Alert>
  );
}
