import { Anchor, Modal, Text } from "@mantine/core";
import { SignInForm } from "../features/session/SignInForm";
import type { Person } from "./session";
import { urls } from "./urls";

/** The session ended under the page: the page stays, and what was typed on it, until the person is back. */
export default function SignInAgain({ person }: { readonly person: Person }) {
  return (
    <Modal opened onClose={() => undefined} withCloseButton={false} closeOnClickOutside={false} closeOnEscape={false} title="Your session has ended" centered>
      <Text size="sm" mb="md">Sign in again as {person.displayName}: the page is as you left it, and what you sent meanwhile goes on.</Text>
      <SignInForm {...(person.email === null ? {} : { email: person.email })} />
      <Text size="sm" c="dimmed" mt="md">Not you? <Anchor href={urls.login} size="sm">Leave this page</Anchor>, and what was typed on it.</Text>
    </Modal>
  );
}
