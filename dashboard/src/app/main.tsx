import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "../ui/page.css";
import { MantineProvider } from "@mantine/core";
import { lazy, StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { Provider } from "urql";
import { App } from "./App";
import { client } from "./client";
import { watchConnection } from "./connection";
import { startKeyboard } from "./keyboard";
import { startSession } from "./session";
import { contrast, theme } from "./theme";

/** Nothing is notified before something is done. */
const Notifications = lazy(async () => ({ default: (await import("@mantine/notifications")).Notifications }));

startSession();
startKeyboard();
watchConnection();

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with the id root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={contrast} defaultColorScheme="auto">
      <Provider value={client}>
        <App />
        <Suspense><Notifications position="bottom-right" /></Suspense>
      </Provider>
    </MantineProvider>
  </StrictMode>,
);
