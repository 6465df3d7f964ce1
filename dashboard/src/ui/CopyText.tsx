import { UnstyledButton, Text, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import type { ReactNode } from "react";

/** Text that a click copies. Its name begins with what is seen, for those who speak to their computer. */
export function CopyText({ text, label, children }: { readonly text: string; readonly label: string; readonly children?: ReactNode }) {
  const clipboard = useClipboard();
  return (
    <Tooltip label={clipboard.copied ? "Copied" : label}>
      <UnstyledButton onClick={() => clipboard.copy(text)} style={{ maxWidth: "100%" }}>
        <Text component="span" size="xs" ff="monospace" c="dimmed" style={{ overflowWrap: "anywhere" }}>{children ?? text}</Text>
        <span className="visually-hidden"> {label}</span>
        <span role="status" className="visually-hidden">{clipboard.copied ? "Copied" : ""}</span>
      </UnstyledButton>
    </Tooltip>
  );
}
