import { Text } from "@mantine/core";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { CopyText } from "../../ui/CopyText";
import { Masked } from "../../ui/Masked";
import { shortSha } from "./account";

export const CommitFields = graphql(`
  fragment CommitLine on Commit {
    id
    sha
    subject
    authorName
    authorEmail
    author { id displayName }
  }
`);

/** One commit of an entry: its hash, its author and, for those who may see it, where to write to. */
export function CommitLine({ sha, commit, masked }: {
  readonly sha: string; readonly commit: FragmentType<typeof CommitFields> | undefined; readonly masked: boolean;
}) {
  const known = readFragment(CommitFields, commit);
  return (
    <Text component="div" size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
      <CopyText text={sha} label={`Copy the hash ${shortSha(sha)}`}>{shortSha(sha)}</CopyText>
      {known && <>
        {" "}{known.author?.displayName ?? known.authorName}{" "}
        {masked ? <Masked what="the author's address" /> : known.authorEmail && `<${known.authorEmail}>`}
      </>}
    </Text>
  );
}
