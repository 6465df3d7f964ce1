import { Badge, Box, Stack, Text, Title } from "@mantine/core";
import { useEffect, useMemo } from "react";
import { graphql, readFragment, type FragmentType } from "../../gql";
import type { ChangelogSection } from "../../gql/graphql";
import { many } from "./account";
import { CommitLine, type CommitFields } from "./CommitLine";
import classes from "./Changelog.module.css";

const Entries = graphql(`
  fragment EntryList on Changelog {
    id
    commitCount
    entries { key section text scope breaking breakingNote commitShas references }
  }
`);

const NAMES: Record<ChangelogSection, string> = { ADDED: "Added", CHANGED: "Changed", DEPRECATED: "Deprecated", REMOVED: "Removed", FIXED: "Fixed", SECURITY: "Security" };

type Commits = readonly ({ readonly sha: string } & FragmentType<typeof CommitFields>)[];

/** The entries by section; what breaks comes first, in its section and among the sections. */
export function EntryList({ changelog, commits, masked, wanted }: {
  readonly changelog: FragmentType<typeof Entries>; readonly commits: Commits | undefined; readonly masked: boolean;
  /** The entry to go to. */ readonly wanted: { readonly key: string } | undefined;
}) {
  useEffect(() => {
    if (wanted === undefined) return;
    const entry = document.getElementById(`entry-${wanted.key}`);
    entry?.focus({ preventScroll: true });
    entry?.scrollIntoView({ block: "center" });
  }, [wanted]);
  const { entries } = readFragment(Entries, changelog);
  const bySha = useMemo(() => new Map(commits?.map((commit) => [commit.sha, commit])), [commits]);
  const sections = useMemo(() => {
    const found = new Map<string, (typeof entries)[number][]>();
    for (const entry of entries) {
      const name = entry.section ? NAMES[entry.section] : "Other";
      found.set(name, [...(found.get(name) ?? []), entry]);
    }
    const ordered = [...found].map(([name, all]) => ({ name, entries: [...all].sort((one, other) => Number(other.breaking) - Number(one.breaking)) }));
    return ordered.sort((one, other) => Number(other.entries[0]?.breaking) - Number(one.entries[0]?.breaking));
  }, [entries]);
  if (entries.length === 0) return <Text size="sm" c="dimmed">No commit of the range is worth telling its readers.</Text>;
  return (
    <>
      {sections.map((section) => (
        <Box component="section" key={section.name}>
          <Title order={3} size="h5" mb={4}>{section.name}</Title>
          <ul className={classes.entries}>
            {section.entries.map((entry) => (
              <li key={entry.key} id={`entry-${entry.key}`} tabIndex={-1} className={classes.entry}>
                <Stack gap={2}>
                  <Text style={{ overflowWrap: "anywhere" }}>
                    {entry.breaking && <Badge component="span" variant="filled" color="red.9" tt="none" mr={6}>breaking</Badge>}
                    {entry.scope && <b>{entry.scope}: </b>}{entry.text}
                  </Text>
                  {entry.breakingNote && <Text size="sm" style={{ overflowWrap: "anywhere" }}>What to do: {entry.breakingNote}</Text>}
                  {entry.references.length > 0 && <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>{entry.references.join(", ")}</Text>}
                  {entry.commitShas.map((sha) => <CommitLine key={sha} sha={sha} commit={bySha.get(sha)} masked={masked} />)}
                </Stack>
              </li>
            ))}
          </ul>
        </Box>
      ))}
      {commits !== undefined && commits.length === 100 && <Text size="xs" c="dimmed">Authors are shown for the first {many(commits.length, "commit")}.</Text>}
    </>
  );
}
