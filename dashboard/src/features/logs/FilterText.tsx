import { TextInput, type TextInputProps } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";

interface FilterTextProps extends Omit<TextInputProps, "value" | "onChange"> {
  readonly value: string;
  readonly onFilter: (text: string) => void;
}

/** A filter by text that waits for a pause in the typing, and follows when the address changes, as by Back. */
export function FilterText({ value, onFilter, ...props }: FilterTextProps) {
  const [typed, setTyped] = useState(value);
  const [told, setTold] = useState(value);
  const send = useDebouncedCallback((text: string) => { setTold(text); onFilter(text); }, 300);
  if (value !== told) {
    setTold(value);
    setTyped(value);
  }
  return <TextInput {...props} value={typed} onChange={(event) => { setTyped(event.currentTarget.value); send(event.currentTarget.value); }} />;
}
