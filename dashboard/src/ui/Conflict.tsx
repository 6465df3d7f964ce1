import { Alert, Button, Group, SimpleGrid, Text } from "@mantine/core";
import { IconGitMerge } from "@tabler/icons-react";
import type { ReactNode } from "react";

/** Somebody was faster. What was typed stays; the person sees both side by side and decides. `since` says who did what meanwhile. */
export function Conflict({ mine, theirs, since, keepMine, takeTheirs, busy = false }: {
  readonly mine: ReactNode; readonly theirs: ReactNode; readonly since?: ReactNode; readonly keepMine: () => void; readonly takeTheirs: () => void; readonly busy?: boolean;
}) {
  return (
    <Alert role="alert" variant="default" icon={<IconGitMerge aria-hidden />} title="Somebody changed this while you were at it">
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md">
        <div style={{ minWidth: 0, overflowWrap: "anywhere" }}>
          <Text size="sm">There now: {theirs}</Text>
          {since}
        </div>
        <Text size="sm" style={{ minWidth: 0, overflowWrap: "anywhere" }}>Yours, not saved yet: {mine}</Text>
      </SimpleGrid>
      <Group gap="xs" mt="xs">
        <Button size="compact-sm" onClick={keepMine} loading={busy}>Save mine over it</Button>
        <Button size="compact-sm" variant="default" onClick={takeTheirs}>Take theirs</Button>
      </Group>
    </Alert>
  );
}
