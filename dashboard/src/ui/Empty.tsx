import { Center, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** Nothing is here yet: says what will be, and how to get it. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <Center mih={240} p="lg">
      <Stack align="center" gap="sm" maw={560} ta="center">
        <Title order={2} size="h4">{title}</Title>
        <Text component="div" size="sm" c="dimmed">{children}</Text>
      </Stack>
    </Center>
  );
}
