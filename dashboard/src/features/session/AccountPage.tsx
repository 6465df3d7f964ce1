import { Badge, Button, Divider, Group, SegmentedControl, Stack, Text, Title, useMantineColorScheme, type MantineColorScheme } from "@mantine/core";
import { useState } from "react";
import { useLoaded } from "../../app/data";
import type { Problem } from "../../app/problem";
import { signOut } from "../../app/session";
import { graphql } from "../../gql";
import { Moment } from "../../ui/Moment";
import { PageHead } from "../../ui/PageHead";
import { Trouble } from "../../ui/Trouble";
import { WaitingRows } from "../../ui/Waiting";
import { PasswordForm } from "./PasswordForm";

const MeQuery = graphql(`
  query Me {
    me { id version email displayName role createdAt }
  }
`);

const ROLES = { ADMIN: "everything, people and settings included", OPS: "logs, tickets and changelogs", HR: "people's tickets and changelogs" } as const;
const THEMES: { value: MantineColorScheme; label: string }[] = [{ value: "auto", label: "As the system" }, { value: "light", label: "Light" }, { value: "dark", label: "Dark" }];

/** Who one is here, one's password, the theme, and the way out. */
export default function AccountPage() {
  const { data, loading, problem, reload } = useLoaded(MeQuery, {});
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [stays, setStays] = useState<Problem>();
  const me = data?.me;
  return (
    <>
      <PageHead title="Account" />
      <Stack maw={480} gap="lg">
        {problem ? <Trouble problem={problem} title="Your account cannot be shown" retry={reload} /> : loading || !me ? <WaitingRows rows={4} height={22} /> : (
          <Stack gap={4}>
            <Text fw={600}>{me.displayName}</Text>
            <Text size="sm">{me.email}</Text>
            <Group gap="xs">
              <Badge variant="default" tt="none" fw={500}>{me.role?.toLowerCase() ?? "no role yet"}</Badge>
              <Text size="sm" c="dimmed">{me.role ? ROLES[me.role] : "an admin has to say what you work on"}</Text>
            </Group>
            <Text size="sm" c="dimmed">Here since <Moment at={me.createdAt} />.</Text>
          </Stack>
        )}
        <Divider />
        <section aria-labelledby="password">
          <Title order={2} size="h4" mb="xs" id="password">Password</Title>
          <PasswordForm me={me ?? undefined} reload={reload} />
        </section>
        <Divider />
        <section aria-labelledby="theme">
          <Title order={2} size="h4" mb="xs" id="theme">Theme</Title>
          <SegmentedControl aria-labelledby="theme" value={colorScheme} onChange={(value) => setColorScheme(value)} data={THEMES} />
        </section>
        <Divider />
        <section aria-labelledby="leave">
          <Title order={2} size="h4" mb="xs" id="leave">Sign out</Title>
          {stays && <Trouble problem={stays} title="You are still signed in" />}
          <Text size="sm" c="dimmed" mb="xs">Ends this session in every tab of this browser.</Text>
          <Button variant="default" onClick={() => void signOut().then(setStays)}>Sign out</Button>
        </section>
      </Stack>
    </>
  );
}
