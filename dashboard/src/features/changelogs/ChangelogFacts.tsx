import { Badge, Text } from "@mantine/core";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { CopyText } from "../../ui/CopyText";
import { Moment } from "../../ui/Moment";
import { rangeName, shortSha } from "./account";

const Facts = graphql(`
  fragment ChangelogFacts on Changelog {
    id
    fromRef
    toRef
    bump
    bumpSha
    previousVersion
    nextVersion
    createdAt
    publishedAt
    createdBy { id displayName }
    createdByActor { kind id }
    publishedBy { id displayName }
    entries { key text commitShas }
  }
`);

/** The range, what the version becomes and which commit says so, who made it and who published it. */
export function ChangelogFacts({ changelog }: { readonly changelog: FragmentType<typeof Facts> }) {
  const it = readFragment(Facts, changelog);
  const decided = it.entries.find(({ commitShas }) => it.bumpSha != null && commitShas.includes(it.bumpSha));
  const maker = it.createdBy?.displayName ?? (it.createdByActor.kind === "USER" ? "somebody" : "a machine");
  return (
    <>
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>{rangeName(it)}</Text>
      <div style={{ overflowWrap: "anywhere" }}>
        {it.bump === "NONE" ? <span>Nothing in the range asks for a release.</span> : it.bump && (
          <span>
            <Badge component="span" variant="default" tt="none" mr={6}>{it.bump.toLowerCase()}</Badge>
            {it.nextVersion ? <>{it.previousVersion ?? "no version"} → <b>{it.nextVersion}</b></> : "the version before is unknown"}
            {typeof it.bumpSha === "string" && <>, decided by <CopyText text={it.bumpSha} label="Copy the hash">{shortSha(it.bumpSha)}</CopyText>{decided ? ` ${decided.text}` : ""}</>}
          </span>
        )}
      </div>
      <span>
        Made by {maker} <Moment at={it.createdAt} />
        {it.publishedAt && <>, published{it.publishedBy ? ` by ${it.publishedBy.displayName}` : ""} <Moment at={it.publishedAt} />: it never changes again</>}.
      </span>
    </>
  );
}
