import { Button, Checkbox, Code, Group, Modal, NativeSelect, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useWrite } from "../../app/data";
import type { Problem } from "../../app/problem";
import { CopyText } from "../../ui/CopyText";
import { formatMoment } from "../../ui/Moment";
import { Trouble } from "../../ui/Trouble";
import classes from "./People.module.css";
import { ENDS, endOf, exampleFor, SCOPES } from "./tokens";
import { CreateTokenMutation } from "./queries";
import { ShownOnce } from "./ShownOnce";

interface Made {
  readonly token: string;
  readonly apiToken: { readonly serviceAccountName: string; readonly scopes: readonly string[]; readonly expiresAt?: string | null };
}

/** Makes a credential for a machine, and shows its secret once with a command that uses it. */
export function TokenDialog({ close, made: tell }: { readonly close: () => void; readonly made: () => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>([]);
  const [ends, setEnds] = useState("90");
  const [problem, setProblem] = useState<Problem>();
  const [fault, setFault] = useState<string>();
  const [made, setMade] = useState<Made>();
  const { write, busy } = useWrite(CreateTokenMutation);

  async function submit(): Promise<void> {
    if (scopes.length === 0) {
      setFault("Choose at least one");
      return;
    }
    const done = await write({ serviceAccountName: name.trim(), scopes, expiresAt: endOf(ends, new Date()) });
    setProblem(done.problem);
    if (!done.ok) return;
    setMade(done.ok);
    tell();
  }

  if (made) return <Secret made={made} close={close} />;
  return (
    <Modal opened onClose={close} title="New API token">
      <form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
        <Stack gap="sm">
          {problem && <Trouble problem={problem} title="No token was made" />}
          <TextInput label="Service account" description="The machine that will use it, such as fluent-bit; a new name makes a new one" required withAsterisk={false} data-autofocus maxLength={63} autoCapitalize="off" spellCheck={false} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Checkbox.Group label="What it may do" value={scopes} onChange={(value) => { setScopes(value); setFault(undefined); }} error={fault}>
            <Stack gap="xs" mt={4}>{SCOPES.map(({ scope, does }) => <Checkbox key={scope} value={scope} label={scope} description={does} />)}</Stack>
          </Checkbox.Group>
          <NativeSelect label="Ends" description="A token that ends by itself is one less to forget" data={ENDS} value={ends} onChange={(event) => setEnds(event.currentTarget.value)} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>Cancel</Button>
            <Button type="submit" loading={busy}>Make the token</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Secret({ made, close }: { readonly made: Made; readonly close: () => void }) {
  const { serviceAccountName, scopes, expiresAt } = made.apiToken;
  const { about, text } = exampleFor(scopes, location.origin);
  return (
    <Modal opened onClose={close} closeOnClickOutside={false} closeOnEscape={false} withCloseButton={false} title={`The token of ${serviceAccountName}`} size="lg">
      <ShownOnce label="API token" secret={made.token} close={close}>
        <Text size="sm">It is shown only now: nobody can read it again, not even an admin. {expiresAt ? `It ends at ${formatMoment(expiresAt)}.` : "It never ends: revoke it when the machine is gone."}</Text>
        <Text size="sm">{about}, with the token in <Code>AIOPS_TOKEN</Code>:</Text>
        <Code block className={classes.secret} tabIndex={0} role="region" aria-label="Example">{text}</Code>
        <CopyText text={text} label="Copy the example">copy the example</CopyText>
      </ShownOnce>
    </Modal>
  );
}
