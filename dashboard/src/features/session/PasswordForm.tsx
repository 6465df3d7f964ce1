import { Alert, Button, PasswordInput, Stack, Text } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useState } from "react";
import { useWrite } from "../../app/data";
import type { Problem } from "../../app/problem";
import { graphql } from "../../gql";
import { Trouble } from "../../ui/Trouble";
import { NewPassword } from "./NewPassword";
import { passwordFault } from "./password";
import { useCountdown } from "./useCountdown";

const ChangePasswordMutation = graphql(`
  mutation ChangePassword($input: ChangePasswordInput!) {
    changePassword(input: $input) {
      __typename
      ... on ChangePasswordSuccess { user { id version } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

/** Replaces one's password. What was typed stays when it is refused, but for a current password that was wrong. */
export function PasswordForm({ me, reload }: { readonly me: { readonly version: number; readonly email?: string | null } | undefined; readonly reload: () => void }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [checked, setChecked] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [done, setDone] = useState(false);
  const { write, busy } = useWrite(ChangePasswordMutation, { secret: true });
  const wait = useCountdown(problem);

  async function submit(): Promise<void> {
    setChecked(true);
    setDone(false);
    if (me === undefined || passwordFault(next) !== undefined) return;
    const changed = await write({ expectedVersion: me.version, currentPassword: current, newPassword: next });
    setProblem(changed.problem);
    if (changed.ok) {
      setCurrent("");
      setNext("");
      setChecked(false);
      setDone(true);
    } else if (changed.problem.code === "CREDENTIALS_INVALID") {
      setCurrent("");
    } else if (changed.problem.code === "VERSION_CONFLICT") {
      reload();
    }
  }

  const told = problem && (problem.code === "VERSION_CONFLICT" ? { ...problem, message: "Your account was changed meanwhile, by an admin or in another tab. It has been read again, and what you typed is still there: press the button once more." }
    : problem.code === "CREDENTIALS_INVALID" ? { ...problem, message: "The current password is not right. Type it again; the new one is still there." } : problem);
  const refused = problem?.code === "PASSWORD_UNACCEPTABLE" ? problem.message : undefined;
  return (
    <form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
      <Stack gap="sm">
        <div role="status">{done && <Alert color="teal" variant="light" icon={<IconCheck aria-hidden />} title="Your password is changed">Your other sessions have ended. This one goes on.</Alert>}</div>
        {told && refused === undefined && <Trouble problem={told} title="Your password is as before" />}
        {/* Password managers look for whom it is. */}
        <input type="text" hidden readOnly autoComplete="username" value={me?.email ?? ""} />
        <PasswordInput label="Current password" autoComplete="current-password" required withAsterisk={false} value={current} onChange={(event) => setCurrent(event.currentTarget.value)} visibilityToggleButtonProps={{ "aria-label": "Show current password", tabIndex: 0 }} />
        <NewPassword label="New password" value={next} onChange={setNext} checked={checked} refused={refused} />
        <Text size="sm" c="dimmed">Your sessions in other browsers, and those of commands, end at once. You stay signed in here.</Text>
        <Button type="submit" loading={busy} disabled={me === undefined || wait > 0} style={{ alignSelf: "flex-start" }}>{wait > 0 ? `Wait ${wait} s` : "Change password"}</Button>
      </Stack>
    </form>
  );
}
