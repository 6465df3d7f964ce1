import { Text, Tooltip } from "@mantine/core";

/** A value that the viewer may not see: it looks hidden, not empty. */
export function Masked({ what }: { readonly what: string }) {
  return (
    <Tooltip label={`Your role does not see ${what}`}>
      <Text component="span" size="sm" c="dimmed" className="masked">
        <span aria-hidden>••••••</span>
        <span className="visually-hidden">{what} is hidden from your role</span>
      </Text>
    </Tooltip>
  );
}
