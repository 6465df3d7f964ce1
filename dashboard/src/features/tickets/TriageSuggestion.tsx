import { Text } from "@mantine/core";
import type { TicketTriageFragment } from "../../gql/graphql";
import { EngineBadge } from "../../ui/EngineBadge";
import { Suggestion } from "../../ui/Suggestion";
import type { Actions } from "./actions";
import type { Deed, Row } from "./deeds";
import { KINDS, KIND_NAMES, nameOf, sureness, type Option } from "./words";

/** A decision of triage about a ticket that changed while the engine read it. */
export function TriageSuggestion({ row, suggestion, options, actions, perform, busy }: {
  readonly row: Row; readonly suggestion: TicketTriageFragment["triageSuggestion"]; readonly options: readonly Option[];
  readonly actions: Actions; readonly perform: (deed: Deed) => void; readonly busy: boolean;
}) {
  if (!suggestion) return null;
  const { decision, changed } = suggestion;
  return (
    <Suggestion title="Triage suggests" busy={busy} take={() => perform(actions.suggestionTaken(row))} putAway={() => perform(actions.suggestionDismissed(row))}
      why={<>Made before {changed.length === 0 ? "the ticket" : changed.join(", ")} changed, so it was not applied. <EngineBadge engine={decision.engine} model={decision.model} fallbackReason={decision.fallbackReason} /></>}>
      {KINDS.map((kind) => {
        const choice = decision[kind];
        return <Text size="sm" key={kind}>{KIND_NAMES[kind]}: <b>{nameOf(options, kind, choice.value)}</b>{choice.uncertain ? "" : `, ${sureness(choice.confidence)}`}</Text>;
      })}
    </Suggestion>
  );
}
