import { Anchor, Button, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import type { CombinedError } from "urql";
import { NETWORK, problemAt } from "../../app/problem";
import { graphql, readFragment, type FragmentType } from "../../gql";
import type { LogChangesFragment as Changed } from "../../gql/graphql";
import { formatMoment } from "../../ui/Moment";
import { MissingPart } from "../../ui/Trouble";
import { formatSpan } from "./format";

export const LogChangesFragment = graphql(`
  fragment LogChanges on Log {
    id
    service
    changesBefore(hours: 24, first: 20) {
      before
      truncated
      changes {
        at
        change {
          __typename
          ... on Deployment { id service environment version url }
          ... on Commit { id sha subject authorName repository { id name } }
        }
      }
    }
  }
`);

/** What is shown until the person asks for all: the nearest changes are the likeliest cause. */
const NEAREST = 5;

type Change = NonNullable<Changed["changesBefore"]>["changes"][number];

/** What was changed in the day before the first record: the first place to look for a cause. */
export function LogChanges({ log: ref, error, reload }: {
  readonly log: FragmentType<typeof LogChangesFragment>; readonly error: CombinedError | undefined; readonly reload: () => void;
}) {
  const { changesBefore: window, service } = readFragment(LogChangesFragment, ref);
  const failed = problemAt(error, "log", "changesBefore");
  const [all, setAll] = useState(false);
  const shown = all ? window?.changes : window?.changes.slice(0, NEAREST);
  const more = (window?.changes.length ?? 0) - (shown?.length ?? 0);
  return (
    <section aria-labelledby="changes">
      <Title order={2} size="h5" id="changes" mb="xs">Changes in the day before</Title>
      {!window && <MissingPart what="What changed before" problem={failed ?? NETWORK} retry={reload} />}
      {window?.changes.length === 0 && <Text size="sm" c="dimmed">No deployment or commit is known {service === null ? "anywhere" : <>for {service}</>} in the 24 hours before its first record. They come from aiops commits push and recordDeployment.</Text>}
      {window && shown && shown.length > 0 && (
        <Stack component="ol" gap="xs" p={0} m={0} style={{ listStyle: "none" }}>
          {shown.map((change, index) => <li key={index}><ChangeLine change={change} before={window.before} /></li>)}
        </Stack>
      )}
      {more > 0 && <Button size="compact-sm" variant="default" mt="xs" onClick={() => setAll(true)}>Show {more} earlier {more === 1 ? "change" : "changes"}</Button>}
      {more === 0 && window?.truncated && <Text size="xs" c="dimmed" mt="xs">There were more; these are the nearest.</Text>}
    </section>
  );
}

function ChangeLine({ change: { at, change }, before }: { readonly change: Change; readonly before: string }) {
  const distance = <time dateTime={at} title={formatMoment(at)}>{formatSpan((Date.parse(before) - Date.parse(at)) / 1_000)} before</time>;
  return (
    <>
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {change?.__typename === "Deployment" && <>Deployment of {change.service} {change.url ? <Anchor href={change.url} target="_blank" rel="noreferrer" size="sm">{change.version}</Anchor> : change.version}</>}
        {change?.__typename === "Commit" && <>{change.subject} <Text component="span" size="xs" ff="monospace" c="dimmed">{change.sha.slice(0, 8)}</Text></>}
        {!change && "A change of a sort that this page does not know"}
      </Text>
      <Text size="xs" c="dimmed">
        {distance}
        {change?.__typename === "Deployment" && <> · {change.environment}</>}
        {change?.__typename === "Commit" && <> · {change.authorName}{change.repository && <> in {change.repository.name}</>}</>}
      </Text>
    </>
  );
}
