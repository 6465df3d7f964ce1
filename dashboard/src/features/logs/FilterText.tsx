import { TextInput, type TextInputProps } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";

interface FilterTextProps extends Omit<TextInputProps, "value" | "onChange"> {
  readonly value: string;
  readonly onFilter: (text: string) => void;
}

/** A filter by text that waits for a pause in the typing, and follows when the address changes, as by Back. Enter and Escape leave it. */
export function FilterText({ value, onFilter, ...props }: FilterTextProps) {
  const [typed, setTyped] = useState(value);
  const [seen, setSeen] = useState(value);
  const [sent, setSent] = useState<string>();
  const send = useDebouncedCallback((text: string) => { setSent(text); onFilter(text); }, 300);
  if (value !== seen) {
    setSeen(value);
    setSent(undefined);
    // What comes back from the address is what was sent; more may have been typed since.
    if (value !== sent) setTyped(value);
  }
  return <TextInput {...props} value={typed} onKeyDown={(event) => { if (event.key === "Escape" || event.key === "Enter") { event.preventDefault(); event.currentTarget.blur(); } }}
    onChange={(event) => { setTyped(event.currentTarget.value); send(event.currentTarget.value); }} />;
}
