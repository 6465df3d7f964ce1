import { Badge, Button, Group, NativeSelect, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { useWrite } from "../../app/data";
import type { Problem } from "../../app/problem";
import { renew, session } from "../../app/session";
import { useStore } from "../../app/store";
import { graphql, readFragment, type FragmentType } from "../../gql";
import type { Role } from "../../gql/graphql";
import { Conflict } from "../../ui/Conflict";
import { Moment } from "../../ui/Moment";
import { Trouble } from "../../ui/Trouble";
import { Confirm } from "./Confirm";
import { InvitationDialog } from "./InviteDialog";
import { DeactivateMutation, SetRoleMutation } from "./queries";
import { roleName, roleOf, ROLE_CHOICES } from "./roles";

const PersonFields = graphql(`
  fragment PersonFields on User {
    id
    version
    email
    displayName
    role
    status
    createdAt
  }
`);

/** What was asked of an account and is not done yet. */
type Wish = { readonly kind: "role"; readonly role: Role | null } | { readonly kind: "deactivate" };

/** One account: its role can be changed, and it can be closed. */
export function PersonRow({ user, reload }: { readonly user: FragmentType<typeof PersonFields>; readonly reload: () => void }) {
  const listed = readFragment(PersonFields, user);
  const [changed, setChanged] = useState(listed);
  // What a write answered is newer than the list, until the list is read again.
  useEffect(() => setChanged(listed), [listed]);
  const it = changed.version > listed.version ? changed : listed;
  const now = useStore(session);
  const self = "person" in now && now.person.id === it.id;
  const setRole = useWrite(SetRoleMutation);
  const deactivate = useWrite(DeactivateMutation);
  const [wish, setWish] = useState<Wish>();
  const [asking, setAsking] = useState(false);
  const [inviting, setInviting] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const name = it.displayName;

  async function fulfil(wanted: Wish): Promise<void> {
    setWish(wanted);
    setAsking(false);
    const which = { userId: it.id, expectedVersion: it.version };
    const done = wanted.kind === "role" ? await setRole.write({ ...which, role: wanted.role }) : await deactivate.write(which);
    setProblem(done.problem);
    if (done.ok) {
      setChanged(readFragment(PersonFields, done.ok.user));
      setWish(undefined);
      if (self) void renew();
    } else if (done.problem.code !== "NETWORK") {
      reload();
    }
  }

  function choose(role: Role | null): void {
    const wanted: Wish = { kind: "role", role };
    setWish(wanted);
    setProblem(undefined);
    if (self && it.role === "ADMIN") setAsking(true);
    else void fulfil(wanted);
  }

  function forget(): void {
    setWish(undefined);
    setProblem(undefined);
    setAsking(false);
  }

  const conflict = problem?.code === "VERSION_CONFLICT" && wish !== undefined;
  const closed = it.status === "DEACTIVATED";
  const shown = wish?.kind === "role" ? wish.role : (it.role ?? null);
  return (
    <li>
      <Group justify="space-between" gap="sm">
        <Stack gap={0} style={{ minWidth: 0, flex: "1 1 14rem" }}>
          <Text style={{ overflowWrap: "anywhere" }}>{name}{self && " (you)"}</Text>
          <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>{it.email}</Text>
        </Stack>
        <Group gap="sm">
          <Text size="sm" c="dimmed"><Badge component="span" variant="default" tt="none" fw={500} mr={6}>{it.status?.toLowerCase() ?? "unknown"}</Badge>since <Moment at={it.createdAt} /></Text>
          <NativeSelect aria-label={`Role of ${name}`} w={110} value={shown ?? ""} data={ROLE_CHOICES} disabled={closed || setRole.busy} onChange={(event) => choose(roleOf(event.currentTarget.value))} />
          {it.status === "INVITED" && <Button variant="default" onClick={() => setInviting(true)} aria-label={`New link for ${name}`}>New link</Button>}
          <Button variant="default" disabled={closed} loading={deactivate.busy} aria-label={`Deactivate ${name}`} onClick={() => { setProblem(undefined); setWish({ kind: "deactivate" }); setAsking(true); }}>Deactivate</Button>
        </Group>
      </Group>
      {conflict ? (
        <Conflict mine={wish.kind === "role" ? roleName(wish.role) : "deactivate the account"} theirs={`${roleName(it.role)}, ${it.status?.toLowerCase() ?? "unknown"}`}
          keepMine={() => void fulfil(wish)} takeTheirs={forget} busy={setRole.busy || deactivate.busy} />
      ) : problem && <Trouble problem={problem} title={`The account of ${name} is as before`}><Group><Button size="compact-sm" variant="default" onClick={forget}>Leave it so</Button></Group></Trouble>}
      {asking && wish?.kind === "role" && (
        <Confirm title="Give up your own admin right?" action="Give it up" close={forget} confirm={() => void fulfil(wish)}>
          You will be {roleName(wish.role)}, and this page will not be for you any more. Only another admin can give the right back.
        </Confirm>
      )}
      {asking && wish?.kind === "deactivate" && (
        <Confirm title={`Deactivate ${name}?`} action="Deactivate" close={forget} confirm={() => void fulfil(wish)}>
          {self ? "You will be signed out everywhere at once, and cannot sign in again." : `${name} is signed out everywhere at once, and cannot sign in again.`} What was written stays, with the name. Accounts cannot be opened again: the e-mail address stays taken.
        </Confirm>
      )}
      {inviting && it.email && <InvitationDialog input={{ email: it.email, role: it.role ?? null, displayName: name }} close={() => setInviting(false)} />}
    </li>
  );
}
