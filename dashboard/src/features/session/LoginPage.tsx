import { Anchor, Center, Paper, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { Link } from "react-router";
import { ProviderSignIn } from "./ProviderSignIn";
import { SignInForm } from "./SignInForm";

export default function LoginPage() {
  useDocumentTitle("Sign in · AI Ops Assistant");
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper withBorder p="lg" w="100%" maw={380}>
        <Title order={1} size="h3">AI Ops Assistant</Title>
        <Text size="sm" c="dimmed" mb="md">What is happening, who should act, what changed.</Text>
        <ProviderSignIn />
        <SignInForm />
        <Text size="sm" c="dimmed" mt="md">No account? An admin sends you an invitation link. The very first account is made <Anchor component={Link} to="/signup" underline="always">with the setup token</Anchor>.</Text>
      </Paper>
    </Center>
  );
}
