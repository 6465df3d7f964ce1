import { Button, Group, Modal, NativeSelect, SimpleGrid, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useDraft } from "../../app/draft";
import { useWrite } from "../../app/data";
import type { Problem } from "../../app/problem";
import { urls } from "../../app/urls";
import type { CreateTicketInput, TicketAudience } from "../../gql/graphql";
import { Trouble } from "../../ui/Trouble";
import { CreateTicket } from "./queries";
import { useViewer } from "./viewer";
import { choices, idsIn, KINDS, KIND_NAMES, type Option } from "./words";

interface Draft {
  readonly title: string;
  readonly message: string;
  readonly service: string;
  readonly audience: TicketAudience;
  readonly reporterName: string;
  readonly reporterEmail: string;
  readonly category: string;
  readonly priority: string;
  readonly team: string;
  readonly logs: string;
}

/** Which field of the form a field of the input is; what a person does not fill in by itself is told on top. */
const FIELDS: Readonly<Record<string, keyof Draft>> = {
  "title": "title", "message": "message", "description": "message", "service": "service", "audience": "audience", "category": "category", "priority": "priority", "team": "team",
  "reporter": "reporterName", "reporter.externalName": "reporterName", "reporter.externalEmail": "reporterEmail", "logIds": "logs",
};

const fieldOf = (path: string): keyof Draft | undefined => FIELDS[path] ?? FIELDS[path.replace(/\.\d+$/, "")];

function inputOf(draft: Draft): Omit<CreateTicketInput, "idempotencyKey"> {
  const name = draft.reporterName.trim();
  const email = draft.reporterEmail.trim();
  const service = draft.service.trim();
  const logIds = idsIn(draft.logs);
  const values = Object.fromEntries(KINDS.filter((kind) => draft[kind] !== "").map((kind) => [kind, draft[kind]]));
  return {
    title: draft.title.trim(), description: draft.message, audience: draft.audience, source: "web", ...values,
    ...(name !== "" || email !== "" ? { reporter: { ...(name === "" ? {} : { externalName: name }), ...(email === "" ? {} : { externalEmail: email }) } } : {}),
    ...(service === "" ? {} : { service }),
    ...(logIds.length === 0 ? {} : { logIds }),
  };
}

/** The form of a new ticket. What is typed stays through a reload, and through everything but being sent. */
export function NewTicket({ options, close }: { readonly options: readonly Option[]; readonly close: () => void }) {
  const { person, seesSystems } = useViewer();
  const hr = person.role === "HR";
  const [draft, setDraft, clear] = useDraft<Draft>("new-ticket", {
    title: "", message: "", service: "", audience: hr ? "PEOPLE" : "GENERAL", reporterName: "", reporterEmail: "", category: "", priority: "", team: "", logs: "",
  });
  const { write, busy } = useWrite(CreateTicket);
  const [problem, setProblem] = useState<Problem>();
  const navigate = useNavigate();
  const narrow = useMediaQuery("(max-width: 48em)");

  const told = (name: keyof Draft): string | undefined => problem?.fields?.find(({ path }) => fieldOf(path) === name)?.message;
  const elsewhere = problem && !(problem.fields?.length && problem.fields.every(({ path }) => fieldOf(path) !== undefined));
  const bound = <Name extends keyof Draft>(name: Name) => ({
    value: draft[name], error: told(name),
    onChange: (event: { currentTarget: { value: string } }) => setDraft({ ...draft, [name]: event.currentTarget.value }),
  });

  async function submit(): Promise<void> {
    if (busy) return;
    if (draft.title.trim() === "") {
      setProblem({ code: "INVALID_ARGUMENT", message: "", fields: [{ path: "title", message: "Say in one line what it is about." }] });
      return;
    }
    if (draft.logs.trim() !== "" && idsIn(draft.logs).length === 0) {
      setProblem({ code: "INVALID_ARGUMENT", message: "", fields: [{ path: "logIds", message: "Paste addresses of logs' pages, or their ids." }] });
      return;
    }
    const { ok, problem: refused } = await write(inputOf(draft));
    setProblem(refused);
    if (!ok) return;
    clear();
    void navigate(urls.ticket(ok.ticket.id));
  }

  return (
    <Modal opened onClose={close} title="New ticket" size="lg" fullScreen={narrow}>
      <form noValidate onSubmit={(event) => { event.preventDefault(); void submit(); }}
        onKeyDown={(event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit(); }}>
        <Stack gap="sm">
          {elsewhere && <Trouble problem={problem} title="The ticket is not stored" />}
          <TextInput data-autofocus label="Title" description="What it is about, in one line" required maxLength={400} {...bound("title")} />
          <Textarea label="Message" autosize minRows={5} maxRows={16} {...bound("message")} />
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
            {!hr && <TextInput label="Service" placeholder="checkout" {...bound("service")} />}
            {!hr && (
              <NativeSelect label="Who may see it" {...bound("audience")}
                data={[{ value: "GENERAL", label: "Ops and admins" }, { value: "PEOPLE", label: "Hr and admins: a people matter" }]} />
            )}
            <TextInput label="Reporter's name" description="When it is somebody outside" {...bound("reporterName")} />
            <TextInput label="Reporter's e-mail" description="Ops does not see it" type="email" {...bound("reporterEmail")} />
            {KINDS.map((kind) => <NativeSelect key={kind} label={KIND_NAMES[kind]} {...bound(kind)} data={[{ value: "", label: "Triage decides" }, ...choices(options, kind)]} />)}
          </SimpleGrid>
          {seesSystems && <TextInput label="Logs" description="Addresses of their pages, or ids" {...bound("logs")} />}
          {hr && <Text size="xs" c="dimmed">A people matter: only hr and admins see it.</Text>}
          {draft.audience === "PEOPLE" && person.role === "OPS" && <Text size="xs" c="dimmed">You see it since you report it; other people of ops do not.</Text>}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>Keep as a draft</Button>
            <Button type="submit" loading={busy}>Create (Ctrl+Enter)</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
