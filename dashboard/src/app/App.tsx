import { Center, Loader } from "@mantine/core";
import { lazy, Suspense, useEffect } from "react";
import { createBrowserRouter, Navigate, Outlet, useLocation, useRouteError, type RouteObject } from "react-router";
import { RouterProvider } from "react-router/dom";
import { Empty } from "../ui/Empty";
import { Trouble } from "../ui/Trouble";
import { Shell, placesFor } from "./Shell";
import { renew, session, type Person } from "./session";
import { useStore } from "./store";
import { urls } from "./urls";

const loadSignInAgain = () => import("./SignInAgain");
const SignInAgain = lazy(loadSignInAgain);
const SIGN_IN_AGAIN_MS = 3_000;

function Waiting() {
  return <Center mih="60vh"><Loader aria-label="Loading" /></Center>;
}

/** Only for people who are signed in; the way back leads to the page that was asked for. */
function SignedIn() {
  const now = useStore(session);
  const { pathname, search } = useLocation();
  const signedIn = now.state === "in";
  useEffect(() => {
    // Fetched while all is well: an upgrade may have taken it away when it is needed.
    const timer = setTimeout(() => void (signedIn && loadSignInAgain()), SIGN_IN_AGAIN_MS);
    return () => clearTimeout(timer);
  }, [signedIn]);
  if (now.state === "starting") return <Waiting />;
  if (now.state === "unknown") return <Center component="main" mih="100vh" p="md"><h1 className="visually-hidden">AI Ops Assistant</h1><Trouble problem={now.problem} title="Nobody can be signed in just now" retry={() => void renew()} /></Center>;
  if (now.state === "out") return <Navigate to={`${urls.login}?to=${encodeURIComponent(pathname + search)}`} replace />;
  return (
    <Shell person={now.person}>
      <Suspense fallback={<Waiting />}><Outlet /></Suspense>
      {now.state === "expired" && <Suspense><SignInAgain person={now.person} /></Suspense>}
    </Shell>
  );
}

/** Signed out people sign in; the others go where they wanted to. */
function SignedOut() {
  const now = useStore(session);
  const { search } = useLocation();
  if (now.state === "starting") return <Waiting />;
  if (now.state === "in") return <Navigate to={safeTarget(new URLSearchParams(search).get("to"))} replace />;
  return <Outlet />;
}

/** A path of this page and nothing else: a link must not send people who sign in to another site. */
export function safeTarget(wanted: string | null): string {
  if (wanted === null || !wanted.startsWith("/")) return "/";
  const target = new URL(wanted, location.origin);
  return target.origin === location.origin ? target.pathname + target.search : "/";
}

function usePerson(): Person | undefined {
  const now = useStore(session);
  return "person" in now ? now.person : undefined;
}

function Home() {
  const first = placesFor(usePerson()?.role ?? null)[0];
  if (first) return <Navigate to={first.url} replace />;
  return <Empty alone title="You have no role yet">An admin has to say what you work on: admin, ops or hr. Ask one, and reload this page then.</Empty>;
}

/** A page of some roles. The others are told the same as where there is no page. */
function For({ place }: { readonly place: string }) {
  const role = usePerson()?.role ?? null;
  return placesFor(role).some(({ url }) => url === place) ? <Outlet /> : <NotFound />;
}

export function NotFound() {
  return <Empty alone title="There is no such page">The address is wrong, or it is not for your role. Where you can go stands in the menu.</Empty>;
}

function Broken() {
  const error = useRouteError();
  useEffect(() => console.error(error), [error]);
  const stale = error instanceof TypeError && error.message.includes("dynamically imported");
  const message = stale ? "A new version was installed. Load the page again." : "The page met an error of its own. Load it again; if it comes back, tell those who run this installation.";
  return <Center mih="60vh" p="md"><Trouble problem={{ code: "PAGE", message }} retry={() => location.reload()} /></Center>;
}

type Load = () => Promise<{ default: () => React.ReactNode }>;
const LOAD_AGAIN_MS = 1_000;

/** Browsers drop what they load when the network changes, such as another Wi-Fi: once more, then it is told. */
async function loadAgain(load: Load): ReturnType<Load> {
  await new Promise((resolve) => setTimeout(resolve, LOAD_AGAIN_MS));
  return load();
}

const page = (load: Load): NonNullable<RouteObject["lazy"]> => async () => ({ Component: (await load().catch(() => loadAgain(load))).default });

const router = createBrowserRouter([
  {
    errorElement: <Broken />,
    hydrateFallbackElement: <Waiting />,
    children: [
      {
        element: <SignedOut />,
        children: [
          { path: urls.login, lazy: page(() => import("../features/session/LoginPage")) },
          { path: "/signup", lazy: page(() => import("../features/session/SignUpPage")) },
        ],
      },
      {
        element: <SignedIn />,
        errorElement: <Broken />,
        children: [
          { path: "/", element: <Home /> },
          { element: <For place={urls.logs} />, children: [
            { path: urls.logs, lazy: page(() => import("../features/logs/LogsPage")) },
            { path: `${urls.logs}/:id`, lazy: page(() => import("../features/logs/LogPage")) },
          ] },
          { element: <For place={urls.tickets} />, children: [
            { path: urls.tickets, lazy: page(() => import("../features/tickets/TicketsPage")) },
            { path: `${urls.tickets}/:id`, lazy: page(() => import("../features/tickets/TicketPage")) },
          ] },
          { element: <For place={urls.changelogs} />, children: [
            { path: urls.changelogs, lazy: page(() => import("../features/changelogs/ChangelogsPage")) },
            { path: `${urls.changelogs}/:id`, lazy: page(() => import("../features/changelogs/ChangelogPage")) },
          ] },
          { element: <For place={urls.people} />, children: [{ path: urls.people, lazy: page(() => import("../features/people/PeoplePage")) }] },
          { path: urls.account, lazy: page(() => import("../features/session/AccountPage")) },
          { path: "*", element: <NotFound /> },
        ],
      },
    ],
  },
]);

export function App() {
  return <RouterProvider router={router} />;
}
