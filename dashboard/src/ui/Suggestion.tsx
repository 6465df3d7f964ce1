import { Button, Group, Paper, Text } from "@mantine/core";
import { IconBulb } from "@tabler/icons-react";
import type { ReactNode } from "react";

/** What a machine made of something that changed meanwhile. It waits for a person, who takes it or puts it away. */
export function Suggestion({ title, why, take, putAway, busy, children }: {
  readonly title: string; readonly why: ReactNode; readonly take: () => void; readonly putAway: () => void; readonly busy: boolean; readonly children: ReactNode;
}) {
  return (
    <Paper withBorder p="sm" mb="md" component="section" aria-label={title}>
      <Group gap={6} mb={4}><IconBulb size={16} aria-hidden /><Text size="sm" fw={600}>{title}</Text></Group>
      <Text size="sm" c="dimmed" component="div">{why}</Text>
      {children}
      <Group gap="xs" mt="xs">
        <Button size="compact-sm" onClick={take} disabled={busy}>Accept the suggestion</Button>
        <Button size="compact-sm" variant="default" onClick={putAway} disabled={busy}>Dismiss it</Button>
      </Group>
    </Paper>
  );
}
