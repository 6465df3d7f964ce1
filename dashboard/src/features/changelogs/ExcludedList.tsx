import { Stack, Text } from "@mantine/core";
import { graphql, readFragment, type FragmentType } from "../../gql";
import type { ExclusionReason } from "../../gql/graphql";
import { CopyText } from "../../ui/CopyText";
import { many, shortSha } from "./account";
import classes from "./Changelog.module.css";

const Excluded = graphql(`
  fragment ExcludedList on Changelog {
    id
    excluded { sha subject reason detail }
  }
`);

const REASONS: Record<ExclusionReason, string> = {
  MERGE: "Merge",
  REVERTED: "Reverted",
  DUPLICATE: "Same change as another commit",
  INTERNAL: "Internal",
  DOCUMENTATION: "Documentation",
  DEPENDENCY: "Dependency update",
  RELEASE: "Release",
  MEANINGLESS: "Says nothing about a change",
};

/** The commits that stand in no entry, each with its reason. */
export function ExcludedList({ changelog }: { readonly changelog: FragmentType<typeof Excluded> }) {
  const { excluded } = readFragment(Excluded, changelog);
  if (excluded.length === 0) return <Text size="sm" c="dimmed">Nothing: every commit stands in an entry.</Text>;
  return (
    <>
      <Text size="sm" c="dimmed">{many(excluded.length, "commit")} that readers would not notice, or that another one tells already.</Text>
      <ul className={classes.entries} aria-labelledby="left-out">
        {excluded.map((commit) => (
          <li key={commit.sha} className={classes.entry}>
            <Stack gap={2}>
              <Text style={{ overflowWrap: "anywhere" }}>{commit.subject || "(no subject)"}</Text>
              <Text component="div" size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
                <CopyText text={commit.sha} label={`Copy the hash ${shortSha(commit.sha)}`}>{shortSha(commit.sha)}</CopyText>{" "}
                <b>{commit.reason ? REASONS[commit.reason] : "Left out"}</b>: {commit.detail}
              </Text>
            </Stack>
          </li>
        ))}
      </ul>
    </>
  );
}
