import { Alert, Button, Group, Modal, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconEyeOff } from "@tabler/icons-react";
import type { TicketAudience } from "../../gql/graphql";
import type { Actions } from "./actions";
import type { Deed, Row } from "./deeds";
import type { Pointing } from "./Marked";
import { Reasons } from "./Reasons";
import type { Reason } from "./reasons";
import { useViewer } from "./viewer";

/** Who may see a ticket. What looks like a people matter waits, hidden from ops, for hr or an admin to decide. */
export function PeopleCard({ row, reasons, pointing, actions, perform, busy }: {
  readonly row: Row; readonly reasons: readonly Reason[]; readonly pointing: Pointing; readonly actions: Actions; readonly perform: (deed: Deed) => void; readonly busy: boolean;
}) {
  const { person, decidesAudience } = useViewer();
  const [asking, { open, close }] = useDisclosure(false);
  const people = row.audience === "PEOPLE";
  const decide = (audience: TicketAudience) => perform(actions.shown(row, audience));
  // Ops lose what becomes hr's, and hr what becomes ops'.
  const loses: TicketAudience | undefined = person.role === "OPS" ? "PEOPLE" : person.role === "HR" ? "GENERAL" : undefined;
  const choose = (audience: TicketAudience) => (audience === loses ? open() : decide(audience));
  const confirm = (
    <Modal opened={asking} onClose={close} title="You will not see it any more">
      <Text size="sm">
        {loses === "PEOPLE" ? "A people matter is for hr and admins. Only they can give it back to you." : "What is no people matter is for ops and admins. Only they can give it back to you."}
      </Text>
      <Group mt="md" gap="xs">
        <Button data-autofocus onClick={() => { close(); if (loses) decide(loses); }} loading={busy}>{loses === "PEOPLE" ? "Give it to hr" : "Give it to ops"}</Button>
        <Button variant="default" onClick={close}>Keep it</Button>
      </Group>
    </Modal>
  );
  if (row.peopleSuspected && decidesAudience) {
    return (
      <Alert variant="default" role="group" icon={<IconEyeOff aria-hidden />} title="Is this a people matter?">
        <Text size="sm">It reads like one, so ops does not see it until you decide. What you decide holds.</Text>
        {reasons.length > 0 && <Reasons reasons={reasons} pointing={pointing} label="Why it is suspected" />}
        <Group gap="xs" mt="xs">
          <Button size="compact-sm" disabled={busy} onClick={() => choose("PEOPLE")}>This is a people matter</Button>
          <Button size="compact-sm" variant="default" disabled={busy} onClick={() => choose("GENERAL")}>This is not</Button>
        </Group>
        {confirm}
      </Alert>
    );
  }
  return (
    <Group gap="xs">
      <Text size="sm" c="dimmed">{people ? "A people matter: hr and admins see it." : "Ops and admins see it."}</Text>
      {(decidesAudience || !people) && (
        <Button size="compact-sm" variant="default" disabled={busy} onClick={() => choose(people ? "GENERAL" : "PEOPLE")}>{people ? "Not a people matter" : "It is a people matter"}</Button>
      )}
      {confirm}
    </Group>
  );
}
