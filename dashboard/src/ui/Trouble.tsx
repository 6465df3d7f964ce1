import { Alert, Anchor, Button, Code, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { CopyText } from "./CopyText";

interface Told {
  readonly code: string;
  readonly message: string;
  readonly traceId?: string | undefined;
  readonly fields?: readonly { readonly path: string; readonly message: string }[] | undefined;
}

/** An error that says what to do, with the trace id that finds its log lines. */
export function Trouble({ problem, title, retry, children }: {
  readonly problem: Told; readonly title?: string; readonly retry?: (() => void) | undefined; readonly children?: ReactNode;
}) {
  return (
    <Alert role="alert" color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={title ?? "This did not work"}>
      <Stack gap="xs">
        <Text size="sm">{problem.message}</Text>
        {problem.fields?.map((field) => (
          <Text size="sm" key={field.path}><Code>{field.path}</Code> {field.message}</Text>
        ))}
        {children}
        <Group gap="sm">
          {retry && <Button size="compact-sm" variant="default" onClick={retry}>Try again</Button>}
          <Text size="xs" c="dimmed">{problem.code}</Text>
          {problem.traceId !== undefined && <CopyText text={problem.traceId} label="Copy the trace id">trace {problem.traceId}</CopyText>}
        </Group>
      </Stack>
    </Alert>
  );
}

/** A part of a page that is missing while the rest is there. */
export function MissingPart({ what, problem, retry }: { readonly what: string; readonly problem: Told; readonly retry?: (() => void) | undefined }) {
  return (
    <Text size="sm" c="dimmed" role="status">
      <IconAlertTriangle size={14} aria-hidden /> {what} cannot be shown just now: {problem.message}{" "}
      {retry && <Anchor component="button" size="sm" onClick={retry}>Try again</Anchor>}
      {problem.traceId !== undefined && <> <CopyText text={problem.traceId} label="Copy the trace id">trace {problem.traceId.slice(0, 8)}</CopyText></>}
    </Text>
  );
}
