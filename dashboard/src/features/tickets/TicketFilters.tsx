import { Button, Checkbox, Collapse, Group, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedCallback, useDisclosure } from "@mantine/hooks";
import { IconAdjustmentsHorizontal } from "@tabler/icons-react";
import { useEffect, useRef, useState, type Ref } from "react";
import { LEVELS, FILTERS, type Filters } from "./filters";
import { useViewer } from "./viewer";
import { choices, KINDS, KIND_NAMES, STATUS_NAMES, type Option } from "./words";

type SetFilter = (name: (typeof FILTERS)[number], value: string | null, options?: { readonly replace?: boolean }) => void;

const LEVEL_CHOICES = LEVELS.map((level) => ({ value: level.toLowerCase(), label: level.charAt(0) + level.slice(1).toLowerCase() }));
const ALWAYS = ["q", "status", "who"];

/** What narrows the list. It lives in the address, so a link shows another person the same. */
export function TicketFilters({ filters, setFilter, clear, any, options, search }: {
  readonly filters: Filters; readonly setFilter: SetFilter; readonly clear: () => void; readonly any: boolean; readonly options: readonly Option[]; readonly search: Ref<HTMLInputElement>;
}) {
  const { person, isAdmin, decidesAudience } = useViewer();
  const more = Object.keys(filters).filter((name) => !ALWAYS.includes(name)).length;
  const [opened, { toggle }] = useDisclosure(more > 0);
  return (
    <Group component="search" gap="xs" align="flex-end" mb="sm" style={{ rowGap: 8 }}>
      <FilterText ref={search} label="Words in title or message" hint="/" value={filters.q} set={(value) => setFilter("q", value, { replace: true })} />
      <NativeSelect label="Status" w={150} value={filters.status ?? ""} onChange={(event) => setFilter("status", event.currentTarget.value)}
        data={[{ value: "", label: "Not done yet" }, { value: "ALL", label: "All" }, ...Object.entries(STATUS_NAMES).map(([value, label]) => ({ value, label }))]} />
      <NativeSelect label="Assignee" w={130} value={filters.who ?? ""} onChange={(event) => setFilter("who", event.currentTarget.value)}
        data={[{ value: "", label: "Anybody" }, { value: "me", label: "Me" }, { value: "nobody", label: "Nobody" }]} />
      <Button variant="default" onClick={toggle} aria-expanded={opened} leftSection={<IconAdjustmentsHorizontal size={16} aria-hidden />}>{more > 0 ? `More filters (${more})` : "More filters"}</Button>
      {any && <Button variant="subtle" onClick={clear}>Clear</Button>}
      <Collapse expanded={opened} w="100%">
        <Group gap="xs" align="flex-end" style={{ rowGap: 8 }}>
          {KINDS.map((kind) => (
            <NativeSelect key={kind} label={KIND_NAMES[kind]} w={150} value={filters[kind] ?? ""} onChange={(event) => setFilter(kind, event.currentTarget.value)}
              data={[{ value: "", label: "Any" }, ...(kind === "priority" ? LEVEL_CHOICES : choices(options, kind, filters[kind]))]} />
          ))}
          {person.role !== "HR" && <FilterText label="Service" value={filters.service} set={(value) => setFilter("service", value, { replace: true })} />}
          <NativeSelect label="Triage" w={150} value={filters.triage ?? ""} onChange={(event) => setFilter("triage", event.currentTarget.value)}
            data={[{ value: "", label: "Any" }, { value: "PENDING", label: "Being triaged" }, { value: "TRIAGED", label: "Triaged" }, { value: "FAILED", label: "Failed" }]} />
          {isAdmin && (
            <NativeSelect label="For whom" w={150} value={filters.audience ?? ""} onChange={(event) => setFilter("audience", event.currentTarget.value)}
              data={[{ value: "", label: "Everybody" }, { value: "GENERAL", label: "Ops" }, { value: "PEOPLE", label: "Hr (people matters)" }]} />
          )}
          {decidesAudience && <Checkbox label="Suspected people matters" mb={8} checked={filters.suspected === "yes"} onChange={(event) => setFilter("suspected", event.currentTarget.checked ? "yes" : null)} />}
        </Group>
      </Collapse>
    </Group>
  );
}

const TYPING_MS = 300;

/** Filters while one types, a moment after the last key. */
function FilterText({ label, hint, value, set, ref }: {
  readonly label: string; readonly hint?: string; readonly value: string | undefined; readonly set: (value: string) => void; readonly ref?: Ref<HTMLInputElement>;
}) {
  const [typed, setTyped] = useState(value ?? "");
  const sent = useRef(value ?? "");
  useEffect(() => {
    // Back, or "Clear": the address changed without this field.
    if ((value ?? "") !== sent.current) setTyped(value ?? "");
    sent.current = value ?? "";
  }, [value]);
  const send = useDebouncedCallback((text: string) => {
    sent.current = text.trim();
    set(text.trim());
  }, TYPING_MS);
  return (
    <TextInput ref={ref} label={label} flex="1 1 12rem" maxLength={200} value={typed} {...(hint === undefined ? {} : { placeholder: `Press ${hint} to search` })}
      onChange={(event) => { setTyped(event.currentTarget.value); send(event.currentTarget.value); }}
      onKeyDown={(event) => { if (event.key === "Escape") event.currentTarget.blur(); }} />
  );
}
