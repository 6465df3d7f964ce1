import { Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";

/** The top of a page: its one h1, what belongs to it, and what can be done. */
export function PageHead({ title, shown, about, children }: {
  readonly title: string; /** The title with marks in it. */ readonly shown?: ReactNode; readonly about?: ReactNode; readonly children?: ReactNode;
}) {
  useDocumentTitle(`${title} · AI Ops Assistant`);
  return (
    <Group justify="space-between" align="flex-start" mb="md" gap="sm">
      <Stack gap={2} style={{ minWidth: 0, flex: "1 1 16rem" }}>
        <Title order={1} size="h3" style={{ overflowWrap: "anywhere" }}>{shown ?? title}</Title>
        {about !== undefined && <Text component="div" size="sm" c="dimmed">{about}</Text>}
      </Stack>
      <Group gap="xs">{children}</Group>
    </Group>
  );
}
