import { reportLost } from "../../app/connection";
import { NETWORK, readProblem, type Problem } from "../../app/problem";
import { goodToken, renew } from "../../app/session";
import { Store } from "../../app/store";
import { formatBytes } from "./format";

export const MAXIMUM_LOG_BYTES = 52_428_800;

export type UploadState =
  | { readonly at: "waiting" }
  | { readonly at: "sending"; readonly sentBytes: number }
  /** All bytes are there; the server stores them. */
  | { readonly at: "storing" }
  | { readonly at: "stored"; readonly logId: string }
  | { readonly at: "refused"; readonly problem: Problem; readonly again: boolean }
  | { readonly at: "cancelled" };

export interface Described {
  readonly name: string;
  readonly service: string;
  readonly timezone: string;
}

export interface Upload extends Described {
  /** Its idempotency key, the same with each attempt: what arrived before the line broke is not stored twice. */
  readonly key: string;
  readonly file: File;
  readonly state: UploadState;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const AGAIN_STATUSES: readonly number[] = [401, 409, 429];

function refusalOf(file: File): Problem | undefined {
  if (file.size === 0) return { code: "LOG_EMPTY", message: "The file is empty, so there is nothing to summarise. Nothing was sent." };
  if (file.size <= MAXIMUM_LOG_BYTES) return undefined;
  return {
    code: "LOG_TOO_LARGE",
    message: `The file has ${formatBytes(file.size)}; a log has at most 50 MB (52,428,800 bytes). Nothing was sent. Split it at line ends, `
      + `split -C 50m ${file.name} part-, then drop the parts here or send each with: aiops logs push part-aa`,
  };
}

/** Text that was packed by gzip goes as it is, and says so. */
async function isGzip(file: File): Promise<boolean> {
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  return first === 0x1f && second === 0x8b;
}

/** Files on their way to the upload door, one after the other; it goes on while other pages are open. */
export class UploadQueue {
  readonly list = new Store<readonly Upload[]>([]);
  private running: { readonly key: string; request?: XMLHttpRequest } | undefined;

  /** Refuses what can never be stored before a byte is sent, and queues the rest. */
  add(files: readonly File[], described: Described): void {
    const added = files.map((file): Upload => {
      const problem = refusalOf(file);
      const name = files.length === 1 && described.name !== "" ? described.name : file.name;
      return { ...described, name, file, key: crypto.randomUUID(), state: problem ? { at: "refused", problem, again: false } : { at: "waiting" } };
    });
    this.list.set([...this.list.get(), ...added]);
    void this.sendNext();
  }

  cancel(key: string): void {
    this.move(key, { at: "cancelled" });
    if (this.running?.key === key) this.running.request?.abort();
  }

  again(key: string): void {
    this.move(key, { at: "waiting" });
    void this.sendNext();
  }

  dismiss(key: string): void {
    this.list.set(this.list.get().filter((upload) => upload.key !== key));
  }

  /** Whether leaving the page would break something off. */
  get busy(): boolean {
    return this.list.get().some(({ state }) => state.at === "waiting" || state.at === "sending" || state.at === "storing");
  }

  private move(key: string, state: UploadState): void {
    this.list.set(this.list.get().map((upload) => (upload.key === key ? { ...upload, state } : upload)));
  }

  private isCancelled(key: string): boolean {
    return this.list.get().find((upload) => upload.key === key)?.state.at === "cancelled";
  }

  private async sendNext(): Promise<void> {
    const upload = this.list.get().find(({ state }) => state.at === "waiting");
    if (this.running !== undefined || upload === undefined) return;
    this.running = { key: upload.key };
    this.move(upload.key, { at: "sending", sentBytes: 0 });
    const state = await this.send(upload);
    this.running = undefined;
    if (state.at !== "cancelled") this.move(upload.key, state);
    void this.sendNext();
  }

  private async send(upload: Upload): Promise<UploadState> {
    let gzip: boolean;
    try {
      gzip = await isGzip(upload.file);
    } catch {
      return { at: "refused", again: false, problem: { code: "FILE", message: "This cannot be read: it is a folder, or the file was changed or deleted since. Choose the file again." } };
    }
    for (const last of [false, true]) {
      const token = await goodToken();
      if (this.isCancelled(upload.key)) return { at: "cancelled" };
      const answer = await this.post(upload, token, gzip);
      if (answer === "cancelled") return { at: "cancelled" };
      if (answer === "lost") {
        reportLost();
        return { at: "refused", again: true, problem: NETWORK };
      }
      if (answer.status === 202) return { at: "stored", logId: (answer.body as { log: { id: string } }).log.id };
      // The token ended on the way, or was revoked: once more with the next one.
      if (answer.status !== 401 || last) return { at: "refused", again: answer.status >= 500 || AGAIN_STATUSES.includes(answer.status), problem: readProblem(answer.body) };
      await renew();
    }
    return { at: "refused", again: true, problem: NETWORK };
  }

  private async post(upload: Upload, token: string, gzip: boolean): Promise<Answer | "lost" | "cancelled"> {
    const request = new XMLHttpRequest();
    if (this.running) this.running.request = request;
    const query = new URLSearchParams({ name: upload.name, timezone: upload.timezone, ...(upload.service === "" ? {} : { service: upload.service }) });
    request.open("POST", `/v1/logs/upload?${query.toString()}`);
    request.responseType = "json";
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.setRequestHeader("Idempotency-Key", upload.key);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    if (gzip) request.setRequestHeader("Content-Encoding", "gzip");
    return new Promise((resolve) => {
      request.upload.onprogress = ({ loaded }) => this.move(upload.key, { at: "sending", sentBytes: loaded });
      request.upload.onload = () => this.move(upload.key, { at: "storing" });
      request.onload = () => resolve({ status: request.status, body: request.response as unknown });
      request.onerror = () => resolve("lost");
      request.onabort = () => resolve("cancelled");
      request.send(upload.file);
    });
  }
}

export const uploads = new UploadQueue();
