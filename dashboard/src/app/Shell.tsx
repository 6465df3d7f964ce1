import { ActionIcon, AppShell, Burger, Group, Menu, NavLink, Text, UnstyledButton, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconFileText, IconKeyboard, IconListDetails, IconMoon, IconSun, IconTicket, IconUser, IconUsers } from "@tabler/icons-react";
import { lazy, Suspense, type ComponentType, type ReactNode } from "react";
import { Link, useLocation, useNavigate } from "react-router";
import { Notice } from "./Notice";
import { useShortcuts } from "./keyboard";
import { signOut, type Person } from "./session";
import { urls } from "./urls";
import { notifications } from "@mantine/notifications";

const KeyboardHelp = lazy(() => import("./KeyboardHelp"));

interface Place {
  readonly name: string;
  readonly url: string;
  readonly keys: string;
  readonly icon: ComponentType<{ size: number }>;
  readonly roles: readonly string[];
}

const PLACES: readonly Place[] = [
  { name: "Logs", url: urls.logs, keys: "g l", icon: IconListDetails, roles: ["ADMIN", "OPS"] },
  { name: "Tickets", url: urls.tickets, keys: "g t", icon: IconTicket, roles: ["ADMIN", "OPS", "HR"] },
  { name: "Changelogs", url: urls.changelogs, keys: "g c", icon: IconFileText, roles: ["ADMIN", "OPS", "HR"] },
  { name: "People", url: urls.people, keys: "g p", icon: IconUsers, roles: ["ADMIN"] },
];

/** Where this role can go, the first being where it begins. */
export function placesFor(role: Person["role"]): readonly Place[] {
  return PLACES.filter(({ roles }) => role !== null && roles.includes(role));
}

async function leave(): Promise<void> {
  const problem = await signOut();
  if (problem) notifications.show({ color: "red", title: "You are still signed in", message: problem.message });
}

/** What is around every page: where one can go, who one is, what the keyboard does. */
export function Shell({ person, children }: { readonly person: Person; readonly children: ReactNode }) {
  const [menu, { toggle, close }] = useDisclosure(false);
  const [help, { open: openHelp, close: closeHelp }] = useDisclosure(false);
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const places = placesFor(person.role);
  useShortcuts([
    ...places.map(({ name, url, keys }) => ({ keys, does: `Go to ${name}`, run: () => void navigate(url) })),
    { keys: "?", does: "Show what the keyboard does", run: openHelp },
  ]);
  return (
    <AppShell header={{ height: 48 }} navbar={{ width: 190, breakpoint: "sm", collapsed: { mobile: !menu } }} padding="md">
      <a className="skip" href="#main">Skip to the page</a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={menu} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={menu ? "Close the menu" : "Open the menu"} />
            <UnstyledButton component={Link} to="/" aria-label="AI Ops Assistant"><Group gap={8} wrap="nowrap"><img src="/favicon.svg" alt="" width={22} height={22} /><Text fw={600} visibleFrom="xs">AI Ops Assistant</Text></Group></UnstyledButton>
          </Group>
          <Group gap={4} wrap="nowrap">
            <ActionIcon variant="subtle" color="gray" size="lg" visibleFrom="sm" aria-label="What the keyboard does" onClick={openHelp}><IconKeyboard size={18} /></ActionIcon>
            <ThemeSwitch />
            <Menu position="bottom-end" width={220}>
              <Menu.Target><ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Account of ${person.displayName}`}><IconUser size={18} /></ActionIcon></Menu.Target>
              <Menu.Dropdown>
                <Menu.Label>{person.displayName} · {person.role?.toLowerCase() ?? "no role yet"}</Menu.Label>
                <Menu.Item onClick={() => void navigate(urls.account)}>Account</Menu.Item>
                <Menu.Item onClick={() => void leave()}>Sign out</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        {places.map(({ name, url, keys, icon: Icon }) => (
          <NavLink key={url} component={Link} to={url} label={name} leftSection={<Icon size={18} />} onClick={close}
            active={pathname === url || pathname.startsWith(`${url}/`)} aria-current={pathname.startsWith(url) ? "page" : undefined}
            rightSection={<Text size="xs" c="dimmed" visibleFrom="sm" aria-hidden>{keys}</Text>} />
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <Notice />
        {children}
      </AppShell.Main>
      {help && <Suspense><KeyboardHelp close={closeHelp} /></Suspense>}
    </AppShell>
  );
}

function ThemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const now = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const next = now === "dark" ? "light" : "dark";
  return (
    <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Use the ${next} theme`} onClick={() => setColorScheme(next)}>
      {now === "dark" ? <IconSun size={18} /> : <IconMoon size={18} />}
    </ActionIcon>
  );
}
