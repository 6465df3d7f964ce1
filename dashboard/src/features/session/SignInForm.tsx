import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useRef, useState } from "react";
import type { Problem } from "../../app/problem";
import { signIn } from "../../app/session";
import { Trouble } from "../../ui/Trouble";

/** E-mail and password. The password stays in the field when the server cannot be reached, and goes when it was wrong. */
export function SignInForm({ email: given = "" }: { readonly email?: string }) {
  const [email, setEmail] = useState(given);
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);

  async function submit(): Promise<void> {
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
        {problem && <Trouble problem={problem} title="You are not signed in" />}
        <TextInput label="E-mail" type="email" autoComplete="username" required autoFocus={given === ""} value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
        <PasswordInput label="Password" autoComplete="current-password" required autoFocus={given !== ""} ref={field} value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
        <Button type="submit" loading={busy}>Sign in</Button>
      </Stack>
    </form>
  );
}
