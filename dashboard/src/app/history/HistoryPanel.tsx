import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { graphql } from "../../gql";
import type { ReplayTarget } from "../../gql/graphql";
import { Empty } from "../../ui/Empty";
import { formatMoment, Moment } from "../../ui/Moment";
import { Trouble } from "../../ui/Trouble";
import { WaitingRows } from "../../ui/Waiting";
import { useLoaded } from "../data";
import { problemAt } from "../problem";
import { ChangeSteps } from "./ChangeSteps";
import classes from "./History.module.css";
import { useHistory, type Change } from "./useHistory";
import { eventWords, givenReason, stateWords, whoDid } from "./words";

const StateQuery = graphql(`
  query StateAsOf($target: ReplayTarget!, $version: Int!) {
    replayChanges(target: $target) { state(asOf: { version: $version }) { version changedAt document } }
  }
`);

/** How a thing became what it is: each change with who, when, what and why, the newest first. */
export default function HistoryPanel({ target, version, what }: { readonly target: ReplayTarget; readonly version: number; readonly what: string }) {
  const { changes, hasEarlier, busy, problem, earlier, retry } = useHistory(target, version);
  const [looking, setLooking] = useState<number>();
  if (changes === undefined) return problem ? <Trouble problem={problem} title="The history cannot be shown just now" retry={retry} /> : <WaitingRows rows={4} height={72} />;
  if (changes.length === 0) return <Empty title="No change is recorded yet">Each change of this {what} will stand here, with who made it, when and why. The command line has it too: <code>aiops history show --help</code></Empty>;
  return (
    <section aria-label="History">
      <ol className={classes.list} reversed>
        {changes.map((change) => <OneChange key={change.version} change={change} look={() => setLooking(change.version)} />)}
      </ol>
      {problem && <Trouble problem={problem} title="Not all could be read" retry={retry} />}
      {hasEarlier && <Button variant="default" size="compact-sm" onClick={earlier} loading={busy}>Show earlier changes</Button>}
      <div role="status" className="visually-hidden">{changes.length} changes are shown{hasEarlier ? ", there are earlier ones" : ", these are all"}</div>
      {looking !== undefined && <AsOf target={target} version={looking} what={what} close={() => setLooking(undefined)} />}
    </section>
  );
}

function OneChange({ change, look }: { readonly change: Change; readonly look: () => void }) {
  const why = givenReason(change.reason);
  return (
    <li className={classes.change} data-version={change.version}>
      <Group gap="xs" justify="space-between" align="flex-start">
        <Text size="sm" style={{ minWidth: 0, overflowWrap: "anywhere" }}><b>{eventWords(change.event)}</b> by {whoDid(change)}, <Moment at={change.changedAt} /></Text>
        <Button size="compact-xs" variant="default" onClick={look} aria-label={`As of version ${change.version}`}>Version {change.version}</Button>
      </Group>
      {why !== undefined && <Text size="sm" style={{ overflowWrap: "anywhere" }}>Why: {why}</Text>}
      <ChangeSteps operations={change.operations} />
    </li>
  );
}

function AsOf({ target, version, what, close }: { readonly target: ReplayTarget; readonly version: number; readonly what: string; readonly close: () => void }) {
  const { data, loading, problem, error, reload } = useLoaded(StateQuery, { target, version }, { unseen: true });
  const state = data?.replayChanges?.state;
  const failed = problem ?? problemAt(error, "replayChanges");
  return (
    <Modal opened onClose={close} size="lg" title={`The ${what} as of version ${version}`}>
      {loading && <WaitingRows rows={6} height={24} />}
      {!loading && !state && <Trouble problem={failed ?? { code: "UNAVAILABLE", message: "It was not told." }} title="This version cannot be shown just now" retry={reload} />}
      {state && (
        <Stack gap="xs">
          <Text size="sm" c="dimmed">So it was from {formatMoment(state.changedAt)} on. What your role does not see is left out.</Text>
          <dl className={classes.steps}>
            {stateWords(state.document).map(({ field, value }) => <div key={field} className={classes.step}><dt>{field}</dt><dd>{value}</dd></div>)}
          </dl>
        </Stack>
      )}
    </Modal>
  );
}
