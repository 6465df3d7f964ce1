import { PasswordInput } from "@mantine/core";
import { passwordFault, PASSWORD_RULES } from "./password";

/** A new password with its rules, told before and while it is typed. */
export function NewPassword({ label, value, onChange, checked, refused }: {
  readonly label: string; readonly value: string; readonly onChange: (value: string) => void;
  /** The person tried to send it. */ readonly checked: boolean; /** What the server said of it. */ readonly refused?: string | undefined;
}) {
  const fault = passwordFault(value);
  const told = checked ? (fault ?? refused) : undefined;
  return (
    <PasswordInput label={label} description={value === "" || told !== undefined ? PASSWORD_RULES : (fault ?? "Good: long enough, and not too long")} inputWrapperOrder={["label", "input", "description", "error"]}
      error={told} autoComplete="new-password" required withAsterisk={false} value={value} onChange={(event) => onChange(event.currentTarget.value)}
      visibilityToggleButtonProps={{ "aria-label": `Show ${label.toLowerCase()}`, tabIndex: 0 }} />
  );
}
