import { Store } from "./store";

/** Whether the gateway answers. `round` rises each time it came back: what failed meanwhile asks again. */
export interface Connection {
  readonly lost: boolean;
  readonly round: number;
}

export const connection = new Store<Connection>({ lost: false, round: 0 });

const PROBE_MS = 2_000;
let probing = false;

async function answers(): Promise<boolean> {
  try {
    return (await fetch("/favicon.svg", { method: "HEAD", cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

/** Somebody got no answer: say so, and look until one comes. */
export function reportLost(): void {
  connection.set({ ...connection.get(), lost: true });
  if (probing) return;
  probing = true;
  const look = async (): Promise<void> => {
    if (await answers()) {
      probing = false;
      connection.set({ lost: false, round: connection.get().round + 1 });
    } else {
      setTimeout(() => void look(), PROBE_MS);
    }
  };
  setTimeout(() => void look(), PROBE_MS / 4);
}

export function watchConnection(): void {
  addEventListener("offline", reportLost);
}
