import { Badge, Button, Code, Group, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { useWrite } from "../../app/data";
import type { Problem } from "../../app/problem";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { Conflict } from "../../ui/Conflict";
import { Moment } from "../../ui/Moment";
import { Trouble } from "../../ui/Trouble";
import { Confirm } from "./Confirm";
import { RevokeTokenMutation } from "./queries";

const TokenFields = graphql(`
  fragment TokenFields on ApiToken {
    id
    version
    serviceAccountName
    scopes
    prefix
    createdAt
    expiresAt
    revokedAt
    lastUsedAt
  }
`);

/** One credential of a machine; the secret itself is not kept anywhere. */
export function TokenRow({ token, reload }: { readonly token: FragmentType<typeof TokenFields>; readonly reload: () => void }) {
  const listed = readFragment(TokenFields, token);
  const [changed, setChanged] = useState(listed);
  useEffect(() => setChanged(listed), [listed]);
  const it = changed.version > listed.version ? changed : listed;
  const { write, busy } = useWrite(RevokeTokenMutation);
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [readAt] = useState(() => Date.now());
  const expired = it.expiresAt != null && Date.parse(it.expiresAt) <= readAt;
  const state = it.revokedAt ? "revoked" : expired ? "expired" : "good";

  async function revoke(): Promise<void> {
    setAsking(false);
    const done = await write({ apiTokenId: it.id, expectedVersion: it.version });
    setProblem(done.problem);
    if (done.ok) setChanged(readFragment(TokenFields, done.ok.apiToken));
    else if (done.problem.code !== "NETWORK") reload();
  }

  return (
    <li>
      <Group justify="space-between" gap="sm">
        <Stack gap={2} style={{ minWidth: 0, flex: "1 1 16rem" }}>
          <Group gap="xs"><Text fw={500} style={{ overflowWrap: "anywhere" }}>{it.serviceAccountName}</Text><Code>{it.prefix}…</Code><Badge variant="default" tt="none" fw={500}>{state}</Badge></Group>
          <Text size="sm" c="dimmed">{it.scopes.join(", ")}</Text>
          <Text size="sm" c="dimmed">
            made <Moment at={it.createdAt} />, {it.lastUsedAt ? <>last used <Moment at={it.lastUsedAt} /></> : "never used"},{" "}
            {it.revokedAt ? <>revoked <Moment at={it.revokedAt} /></> : it.expiresAt ? <>{expired ? "expired" : "ends"} <Moment at={it.expiresAt} exact /></> : "never ends"}
          </Text>
        </Stack>
        <Button variant="default" disabled={it.revokedAt != null} loading={busy} aria-label={`Revoke the token ${it.prefix} of ${it.serviceAccountName}`} onClick={() => setAsking(true)}>Revoke</Button>
      </Group>
      {problem?.code === "VERSION_CONFLICT"
        ? <Conflict mine="revoke it" theirs={`${state}, version ${it.version}`} keepMine={() => void revoke()} takeTheirs={() => setProblem(undefined)} busy={busy} />
        : problem && <Trouble problem={problem} title="The token is as before" />}
      {asking && (
        <Confirm title={`Revoke the token of ${it.serviceAccountName}?`} action="Revoke" close={() => setAsking(false)} confirm={() => void revoke()}>
          Machines that use {it.prefix}… are refused within a minute, and it cannot be undone. Put the next token in its place first where nothing may get lost.
        </Confirm>
      )}
    </li>
  );
}
