import { Alert, Button, Card, Group, Loader, NativeSelect, Stack, Text, Title } from "@mantine/core";
import type { TicketTriageFragment } from "../../gql/graphql";
import { EngineBadge } from "../../ui/EngineBadge";
import { acceptable, type Actions } from "./actions";
import type { Deed, Row } from "./deeds";
import type { Pointing } from "./Marked";
import { Reasons } from "./Reasons";
import type { Reason } from "./reasons";
import { Source } from "./Source";
import { KINDS, KIND_NAMES, choices, nameOf, sureness, type Kind, type Option } from "./words";

interface Given {
  readonly row: Row;
  readonly triage: TicketTriageFragment["triage"];
  readonly reasons: readonly Reason[];
  readonly options: readonly Option[];
  readonly pointing: Pointing;
  readonly actions: Actions;
  readonly perform: (deed: Deed) => void;
  readonly busy: boolean;
}

/** What the machine made of a ticket, and what people say to it. */
export function TriageCard(given: Given) {
  const { row, triage, actions, perform, busy } = given;
  const accept = actions.accepted(row);
  const again = () => perform(actions.retriaged(row));
  return (
    <Card withBorder padding="md" component="section" aria-labelledby="triage">
      <Group justify="space-between" mb="xs" gap="xs">
        <Title order={2} size="h5" id="triage">Triage</Title>
        {triage && <EngineBadge engine={triage.engine} model={triage.model} fallbackReason={triage.fallbackReason} />}
      </Group>
      <div role="status">
        {row.triageState === "PENDING" && <Group gap="xs" mb="xs"><Loader size={14} aria-hidden /><Text size="sm">Being triaged. It appears here by itself.</Text></Group>}
      </div>
      {row.triageState === "FAILED" && (
        <Alert color="red" variant="light" mb="xs" title="No decision could be made">
          <Text size="sm">{row.triageFailure ?? "The machine did not say why."}</Text>
          <Button size="compact-sm" variant="default" mt="xs" onClick={again} loading={busy}>Triage it again</Button>
        </Alert>
      )}
      <Stack gap="md">
        {KINDS.map((kind) => <Property key={kind} kind={kind} {...given} />)}
      </Stack>
      <Group gap="xs" mt="md">
        {accept && <Button size="compact-sm" onClick={() => perform(accept)} disabled={busy}>{acceptable(row).length === 1 ? "Accept it" : "Accept all"} (a)</Button>}
        {row.triageState !== "FAILED" && <Button size="compact-sm" variant="default" onClick={again} disabled={busy}>Triage again</Button>}
      </Group>
    </Card>
  );
}

function Property({ kind, row, triage, reasons, options, pointing, actions, perform, busy }: Given & { readonly kind: Kind }) {
  const value = row[kind];
  const source = row[`${kind}Source`];
  const choice = triage?.[kind];
  const mine = reasons.filter(({ about }) => about === kind);
  const suggested = choice?.value ?? null;
  return (
    <div>
      <Group gap="xs" align="flex-end" wrap="nowrap">
        <NativeSelect label={KIND_NAMES[kind]} size="sm" flex={1} value={value ?? ""} disabled={busy}
          data={[{ value: "", label: "Undecided" }, ...choices(options, kind, value)]}
          onChange={(event) => perform(actions.chosen(row, kind, event.currentTarget.value))} />
        {source === "TRIAGE" && value && (
          <Button size="sm" variant="default" disabled={busy} aria-label={`Accept ${kind} ${nameOf(options, kind, value)}`} onClick={() => perform(actions.chosen(row, kind, value))}>Accept</Button>
        )}
      </Group>
      <Group gap={6} mt={4}>
        <Source source={source} />
        {choice && source === "TRIAGE" && !choice.uncertain && <Text size="xs">{sureness(choice.confidence)}</Text>}
        {choice?.uncertain === true && <Text size="xs">Triage does not know{suggested === null ? "" : `; perhaps ${nameOf(options, kind, suggested)}`}.</Text>}
        {choice && suggested !== null && !choice.uncertain && source === "PERSON" && suggested === value && <Text size="xs">Triage says the same: {sureness(choice.confidence)}</Text>}
        {choice && suggested !== null && !choice.uncertain && source !== "TRIAGE" && suggested !== value && (
          <>
            <Text size="xs">Triage suggests <b>{nameOf(options, kind, suggested)}</b>: {sureness(choice.confidence)}</Text>
            <Button size="compact-xs" variant="default" disabled={busy} aria-label={`Use ${nameOf(options, kind, suggested)} as ${kind}`} onClick={() => perform(actions.chosen(row, kind, suggested))}>Use it</Button>
          </>
        )}
      </Group>
      {choice && (mine.length > 0 || !choice.uncertain) && <Reasons reasons={mine} pointing={pointing} label={`Why this ${kind}`} />}
    </div>
  );
}
