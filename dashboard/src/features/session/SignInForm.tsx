import { Alert, Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { IconHourglass } from "@tabler/icons-react";
import { useRef, useState } from "react";
import type { Problem } from "../../app/problem";
import { signIn } from "../../app/session";
import { Trouble } from "../../ui/Trouble";
import { useCountdown } from "./useCountdown";

/** E-mail and password. The password stays in the field when the server cannot be reached, and goes when it was wrong. */
export function SignInForm({ email: given = "" }: { readonly email?: string }) {
  const [email, setEmail] = useState(given);
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const wait = useCountdown(problem);

  async function submit(): Promise<void> {
    if (busy || wait > 0) return;
    setBusy(true);
    const refused = await signIn(email.trim(), password);
    setBusy(false);
    setProblem(refused);
    if (refused?.code === "UNAUTHENTICATED" || refused?.code === "CREDENTIALS_INVALID") setPassword("");
    if (refused) field.current?.focus();
  }

  return (
    <form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
      <Stack>
        {problem && (problem.retryAfterSeconds === undefined ? <Trouble problem={problem} title="You are not signed in" /> : (
          <Alert role="alert" color="yellow" variant="light" icon={<IconHourglass aria-hidden />} title="Too many attempts">
            {wait > 0 ? "Signing in waits a moment, so that nobody can guess passwords. What you typed stays." : "You can try again now."}
          </Alert>
        ))}
        <TextInput label="E-mail" type="email" autoComplete="username" required withAsterisk={false} autoFocus={given === ""} data-autofocus={given === "" || undefined} value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
        <PasswordInput label="Password" autoComplete="current-password" required withAsterisk={false} autoFocus={given !== ""} data-autofocus={given !== "" || undefined} ref={field} value={password} onChange={(event) => setPassword(event.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": "Show the password", tabIndex: 0 }} />
        <Button type="submit" loading={busy} disabled={wait > 0}>{wait > 0 ? `Wait ${wait} s` : "Sign in"}</Button>
      </Stack>
    </form>
  );
}
