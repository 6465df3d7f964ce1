import { Anchor, Button, Center, Code, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { Client, fetchExchange, Provider } from "urql";
import { useWrite } from "../../app/data";
import type { Problem } from "../../app/problem";
import { signIn } from "../../app/session";
import { urls } from "../../app/urls";
import { graphql } from "../../gql";
import { Trouble } from "../../ui/Trouble";
import { NewPassword } from "./NewPassword";
import { passwordFault } from "./password";

const SignUpMutation = graphql(`
  mutation SignUp($input: SignUpInput!) {
    signUp(input: $input) {
      __typename
      ... on SignUpSuccess { user { id email } }
      ... on UserError { ...ProblemFields }
    }
  }
`);

/** Makes an account: by an invitation, or the very first one by the setup token. */
export default function SignUpPage() {
  useDocumentTitle("Sign up · AI Ops Assistant");
  // The page's own client waits for a session, and here is none yet.
  const [client] = useState(() => new Client({ url: "/graphql", preferGetMethod: false, exchanges: [fetchExchange] }));
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper withBorder p="lg" w="100%" maw={420}>
        <Provider value={client}><SignUpForm /></Provider>
        <Text size="sm" c="dimmed" mt="md">You have an account? <Anchor component={Link} to={urls.login} underline="always">Sign in</Anchor>.</Text>
      </Paper>
    </Center>
  );
}

function SignUpForm() {
  const [params] = useSearchParams();
  const invitation = params.get("invitation") ?? "";
  const [setup, setSetup] = useState(params.get("setup") ?? "");
  const [email, setEmail] = useState(params.get("email") ?? "");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [checked, setChecked] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [entering, setEntering] = useState(false);
  const { write, busy } = useWrite(SignUpMutation, { secret: true });
  const invited = invitation !== "";

  async function submit(): Promise<void> {
    setChecked(true);
    if (passwordFault(password) !== undefined) return;
    const made = await write({
      email: email.trim(), password, displayName: name.trim() || null,
      invitationToken: invited ? invitation : null, setupToken: invited ? null : setup.trim() || null,
    });
    setProblem(made.problem);
    if (!made.ok) return;
    setEntering(true);
    const refused = await signIn(email.trim(), password);
    setEntering(false);
    // The account is there, so the way on is to sign in.
    if (refused) setProblem({ ...refused, message: `Your account is made, but signing in did not work: ${refused.message}` });
  }

  const passwordRefused = problem?.code === "PASSWORD_UNACCEPTABLE" ? problem.message : undefined;
  return (
    <form onSubmit={(event) => { event.preventDefault(); void submit(); }}>
      <Stack>
        <div>
          <Title order={1} size="h3">{invited ? "Accept your invitation" : "Make the first account"}</Title>
          <Text size="sm" c="dimmed">
            {invited ? "Choose a password, and you are in. The invitation is for one e-mail address: the one that it was made for." : "The first account becomes admin, and invites everybody else."}
          </Text>
        </div>
        {problem && !passwordRefused && <Trouble problem={problem} title={entering ? "You are not signed in" : "No account was made"}><WhatNow code={problem.code} /></Trouble>}
        {!invited && (
          <TextInput label="Setup token" value={setup} onChange={(event) => setSetup(event.currentTarget.value)} required withAsterisk={false} autoComplete="off" autoCapitalize="off" spellCheck={false}
            description={<>It stands in the file that <Code>AUTH_SETUP_TOKEN_FILE</Code> names, on the machine where auth runs, until it is used. Invited? Open the link of your invitation in place of this page.</>} />
        )}
        <TextInput label="E-mail" type="email" autoComplete="username" required withAsterisk={false} value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
        <TextInput label="Name" description="Shown to others; the part before the @ when empty" autoComplete="name" value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={100} />
        <NewPassword label="Password" value={password} onChange={setPassword} checked={checked} refused={passwordRefused} />
        <Button type="submit" loading={busy || entering}>Make the account</Button>
      </Stack>
    </form>
  );
}

/** The next step that the server, which does not know this page, cannot name. */
function WhatNow({ code }: { readonly code: string }) {
  if (code === "INVITATION_INVALID") {
    return <Text size="sm">Used it already? <Anchor component={Link} to={urls.login} size="sm" underline="always">Sign in</Anchor> with the password that you chose then. Otherwise check the e-mail address, or ask an admin for a new link under People.</Text>;
  }
  if (code === "SETUP_TOKEN_INVALID") return <Text size="sm">Somebody may have made the first account already: <Anchor component={Link} to={urls.login} size="sm" underline="always">sign in</Anchor>, or ask that admin for an invitation.</Text>;
  if (code === "EMAIL_TAKEN") return <Text size="sm"><Anchor component={Link} to={urls.login} size="sm" underline="always">Sign in</Anchor> with it.</Text>;
  return null;
}
