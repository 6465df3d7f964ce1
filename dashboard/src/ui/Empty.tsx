import { Center, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** Nothing is here yet: says what will be, and how to get it. `alone` where the page has no other head. */
export function Empty({ title, alone, children }: { readonly title: string; readonly alone?: boolean; readonly children?: ReactNode }) {
  return (
    <Center mih={240} p="lg">
      <Stack align="center" gap="sm" maw={560} miw={0} ta="center">
        <Title order={alone === true ? 1 : 2} size="h4">{title}</Title>
        <Text component="div" size="sm" c="dimmed" maw="100%">{children}</Text>
      </Stack>
    </Center>
  );
}
