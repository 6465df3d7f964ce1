import { Button, Code, CopyButton, Group, Stack, Text } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "./People.module.css";

/** A secret that nobody can show again: to copy now. */
export function ShownOnce({ label, secret, close, children }: { readonly label: string; readonly secret: string; readonly close: () => void; readonly children: ReactNode }) {
  return (
    <Stack gap="sm">
      <Text size="sm" fw={500}>{label}</Text>
      <Code block className={classes.secret} tabIndex={0} role="region" aria-label={label}>{secret}</Code>
      <CopyButton value={secret}>
        {({ copied, copy }) => (
          <Button data-autofocus onClick={copy} leftSection={copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}>{copied ? "Copied" : "Copy"}</Button>
        )}
      </CopyButton>
      {children}
      <Group justify="flex-end"><Button variant="default" onClick={close}>I have kept it</Button></Group>
    </Stack>
  );
}
