import { Skeleton, Stack } from "@mantine/core";

/** Rows in the size of what will come, so that nothing jumps when it does. */
export function WaitingRows({ rows = 8, height = 44 }: { readonly rows?: number; readonly height?: number }) {
  return (
    <Stack gap={4} role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => <Skeleton key={row} height={height} radius="sm" />)}
    </Stack>
  );
}
