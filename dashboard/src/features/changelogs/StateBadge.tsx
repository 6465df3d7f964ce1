import { Badge } from "@mantine/core";
import { IconLock, IconPencil } from "@tabler/icons-react";
import type { ChangelogState } from "../../gql/graphql";

/** A draft can still be published; what is published never changes again. */
export function StateBadge({ state }: { readonly state: ChangelogState | null | undefined }) {
  const published = state === "PUBLISHED";
  return (
    <Badge variant={published ? "default" : "outline"} color="gray" c="var(--mantine-color-text)" tt="none" fw={500} leftSection={published ? <IconLock size={12} aria-hidden /> : <IconPencil size={12} aria-hidden />}>
      {published ? "published" : state === "DRAFT" ? "draft" : "unknown state"}
    </Badge>
  );
}
