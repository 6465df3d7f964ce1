import { Badge } from "@mantine/core";
import { IconEyeOff, IconMessage } from "@tabler/icons-react";
import { Moment } from "../../ui/Moment";
import type { Row } from "./deeds";
import { Source } from "./Source";
import classes from "./TicketRow.module.css";
import { KINDS, nameOf, STATUS_NAMES, type Option } from "./words";

/** A ticket in one row: what is most urgent to know comes first. */
export function TicketRow({ row, options, viewerId }: { readonly row: Row; readonly options: readonly Option[]; readonly viewerId: string }) {
  const urgent = row.priorityLevel === "URGENT";
  return (
    <div className={classes.row}>
      <Badge variant={urgent ? "filled" : "default"} {...(urgent ? { color: "red.9" } : {})} tt="none" fw={500} fullWidth>{row.priority ? nameOf(options, "priority", row.priority) : "no priority"}</Badge>
      <span className={classes.title}>{row.title}</span>
      <span className={classes.age}><Moment at={row.createdAt} /></span>
      <span className={classes.facts}>
        <span>{row.status ? STATUS_NAMES[row.status] : "Unknown status"}</span>
        {row.triageState === "PENDING" && <span>being triaged</span>}
        {row.triageState === "FAILED" && <span>triage failed</span>}
        {KINDS.filter((kind) => kind !== "priority" && row[kind]).map((kind) => (
          <span key={kind} className={classes.fact}><span className="visually-hidden">{kind} </span>{kind === "team" ? "team " : ""}{nameOf(options, kind, row[kind])} <Source source={row[`${kind}Source`]} short /></span>
        ))}
        {row.service != null && <span>{row.service}</span>}
        <span>{row.assignee ? (row.assignee.id === viewerId ? "yours" : row.assignee.displayName) : "nobody's"}</span>
        {row.commentCount > 0 && <span className={classes.fact}><IconMessage size={13} aria-hidden />{row.commentCount}<span className="visually-hidden"> comments</span></span>}
        {row.peopleSuspected && <span className={classes.fact}><IconEyeOff size={13} aria-hidden />perhaps a people matter</span>}
        {!row.peopleSuspected && row.audience === "PEOPLE" && <span className={classes.fact}><IconEyeOff size={13} aria-hidden />people matter</span>}
      </span>
    </div>
  );
}
