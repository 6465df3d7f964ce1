import { Badge } from "@mantine/core";
import { IconRobot, IconUser } from "@tabler/icons-react";
import type { ValueSource } from "../../gql/graphql";

/** Who gave a value: a person, whose word stands, or the machine. */
export function Source({ source, short = false }: { readonly source: ValueSource | null | undefined; readonly short?: boolean }) {
  if (!source) return null;
  const [Icon, label] = source === "PERSON" ? [IconUser, "by a person"] as const : [IconRobot, "by triage"] as const;
  if (short) return <><Icon size={13} aria-hidden /><span className="visually-hidden"> {label}</span></>;
  return <Badge variant="default" tt="none" fw={500} leftSection={<Icon size={12} aria-hidden />}>{label}</Badge>;
}
