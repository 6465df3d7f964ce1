import { Button, Card, Group, NativeSelect, Text, Title } from "@mantine/core";
import type { Actions } from "./actions";
import type { Deed, Row } from "./deeds";
import { useViewer } from "./viewer";
import { MOVES, STATUS_KEYS, STATUS_NAMES } from "./words";

interface Candidate {
  readonly id: string;
  readonly displayName: string;
  readonly role?: string | null;
  readonly status?: string | null;
}

/** How far people are, and who does it. */
export function WorkCard({ row, users, actions, perform, busy }: {
  readonly row: Row; readonly users: readonly Candidate[] | undefined; readonly actions: Actions; readonly perform: (deed: Deed) => void; readonly busy: boolean;
}) {
  const { person, isAdmin } = useViewer();
  const hidden = row.peopleSuspected || row.audience !== "GENERAL";
  const able = (users ?? []).filter(({ role, status }) => status === "ACTIVE" && (role === "ADMIN" || role === (hidden ? "HR" : "OPS")));
  const people = row.assignee && able.every(({ id }) => id !== row.assignee?.id) ? [row.assignee, ...able] : able;
  const mine = row.assignee?.id === person.id;
  return (
    <Card withBorder padding="md" component="section" aria-labelledby="work">
      <Title order={2} size="h5" id="work" mb="xs">Work</Title>
      <Text size="sm" mb="xs">Status: <b>{row.status ? STATUS_NAMES[row.status] : "unknown"}</b></Text>
      <Group gap="xs" mb="md">
        {(row.status ? MOVES[row.status] : []).map((status) => {
          const deed = actions.moved(row, status);
          const { key, verb } = STATUS_KEYS[status];
          const named = status === "OPEN" && (row.status === "IN_PROGRESS" || row.status === "WAITING") ? "Back to open" : verb;
          return deed && <Button key={status} size="compact-sm" variant={status === "RESOLVED" ? "filled" : "default"} disabled={busy} onClick={() => perform(deed)}>{named} ({key})</Button>;
        })}
      </Group>
      {isAdmin && users !== undefined ? (
        <NativeSelect label="Assignee" size="sm" disabled={busy} value={row.assignee?.id ?? ""} mb="xs"
          data={[{ value: "", label: "Nobody" }, ...people.map(({ id, displayName }) => ({ value: id, label: id === person.id ? `${displayName} (you)` : displayName }))]}
          onChange={(event) => perform(actions.assigned(row, people.find(({ id }) => id === event.currentTarget.value) ?? null))} />
      ) : <Text size="sm" mb="xs">Assignee: <b>{row.assignee ? (mine ? "you" : row.assignee.displayName) : "nobody"}</b></Text>}
      <Group gap="xs">
        {!mine && <Button size="compact-sm" variant="default" disabled={busy} onClick={() => perform(actions.assigned(row, person))}>Assign to me (i)</Button>}
        {row.assignee && <Button size="compact-sm" variant="default" disabled={busy} onClick={() => perform(actions.assigned(row, null))}>Unassign (u)</Button>}
      </Group>
    </Card>
  );
}
