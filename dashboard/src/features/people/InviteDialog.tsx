import { Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useWrite } from "../../app/data";
import type { Problem } from "../../app/problem";
import type { Role } from "../../gql/graphql";
import { formatMoment } from "../../ui/Moment";
import { Trouble } from "../../ui/Trouble";
import { InviteMutation } from "./queries";
import { roleOf, ROLES, ROLE_CHOICES } from "./roles";
import { ShownOnce } from "./ShownOnce";

interface Invitation {
  readonly invitationToken: string;
  readonly invitationExpiresAt: string;
  readonly user: { readonly email?: string | null };
}

interface Invited {
  readonly email: string;
  readonly role: Role | null;
  readonly displayName: string | null;
}

/** Invites somebody, and shows the link once. */
export function InviteDialog({ close, invited }: { readonly close: () => void; readonly invited: () => void }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role | null>("OPS");
  const [name, setName] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [made, setMade] = useState<Invitation>();
  const { write, busy } = useWrite(InviteMutation);

  async function submit(): Promise<void> {
    const done = await write({ email: email.trim(), role, displayName: name.trim() || null });
    setProblem(done.problem);
    if (!done.ok) return;
    setMade(done.ok);
    invited();
  }

  if (made) return <Link made={made} close={close} />;
  return (
    <Modal opened onClose={close} title="Invite somebody">
      <form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
        <Stack gap="sm">
          {problem && <Trouble problem={problem} title="Nobody was invited" />}
          <TextInput label="E-mail" type="email" required withAsterisk={false} data-autofocus value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
          <NativeSelect label="Role" description={role ? `Sees ${ROLES[role].sees}` : "Sees nothing until an admin gives a role"} data={ROLE_CHOICES} value={role ?? ""} onChange={(event) => setRole(roleOf(event.currentTarget.value))} />
          <TextInput label="Name" description="The part before the @ when empty; the person can change it at sign-up" value={name} maxLength={100} onChange={(event) => setName(event.currentTarget.value)} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>Cancel</Button>
            <Button type="submit" loading={busy}>Make the link</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** A new link for somebody who has not used the one before, which ends with it. */
export function InvitationDialog({ input, close }: { readonly input: Invited; readonly close: () => void }) {
  const { write, busy } = useWrite(InviteMutation);
  const [problem, setProblem] = useState<Problem>();
  const [made, setMade] = useState<Invitation>();

  async function submit(): Promise<void> {
    const done = await write(input);
    setProblem(done.problem);
    if (done.ok) setMade(done.ok);
  }

  if (made) return <Link made={made} close={close} />;
  return (
    <Modal opened onClose={close} title={`A new link for ${input.displayName ?? input.email}`}>
      <Stack gap="sm">
        {problem && <Trouble problem={problem} title="There is no new link" />}
        <Text size="sm">The link that was made before stops working.</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button onClick={() => void submit()} loading={busy} data-autofocus>Make the link</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function Link({ made, close }: { readonly made: Invitation; readonly close: () => void }) {
  const email = made.user.email ?? "";
  const link = `${location.origin}/signup?${new URLSearchParams({ invitation: made.invitationToken, email }).toString()}`;
  return (
    <Modal opened onClose={close} closeOnClickOutside={false} closeOnEscape={false} withCloseButton={false} title={`${email} is invited`} size="lg">
      <ShownOnce label="Invitation link" secret={link} close={close}>
        <Text size="sm">Send it to {email} yourself: no mail is sent from here. It works once, for this address, until {formatMoment(made.invitationExpiresAt)}. It is shown only now; a new one can be made as long as it is not used.</Text>
      </ShownOnce>
    </Modal>
  );
}
