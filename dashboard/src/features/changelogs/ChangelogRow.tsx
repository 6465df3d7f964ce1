import { Group, Stack, Text } from "@mantine/core";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { Moment } from "../../ui/Moment";
import { changelogName, many, rangeName } from "./account";
import { StateBadge } from "./StateBadge";

const Row = graphql(`
  fragment ChangelogRow on Changelog {
    id
    fromRef
    toRef
    state
    bump
    nextVersion
    commitCount
    createdAt
    publishedAt
    repository { id name }
    createdBy { id displayName }
  }
`);

/** One changelog in the list. */
export function ChangelogRow({ changelog }: { readonly changelog: FragmentType<typeof Row> }) {
  const it = readFragment(Row, changelog);
  return (
    <Group justify="space-between" gap="xs" align="flex-start">
      <Stack gap={0} style={{ minWidth: 0, flex: "1 1 14rem" }}>
        <Text fw={500} style={{ overflowWrap: "anywhere" }}>{changelogName(it)}</Text>
        <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          {rangeName(it)} · {many(it.commitCount, "commit")}{it.bump && it.bump !== "NONE" ? ` · ${it.bump.toLowerCase()}` : ""}
        </Text>
      </Stack>
      <Stack gap={0} align="flex-end">
        <StateBadge state={it.state} />
        <Text size="xs" c="dimmed">
          {it.publishedAt ? <>published <Moment at={it.publishedAt} /></> : <>made <Moment at={it.createdAt} />{it.createdBy ? ` by ${it.createdBy.displayName}` : ""}</>}
        </Text>
      </Stack>
    </Group>
  );
}
