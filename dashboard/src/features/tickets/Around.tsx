import { Anchor, Card, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { Problem } from "../../app/problem";
import { urls } from "../../app/urls";
import { graphql, readFragment, type FragmentType } from "../../gql";
import { Masked } from "../../ui/Masked";
import { MissingPart } from "../../ui/Trouble";
import { before, STATUS_NAMES, webAddress } from "./words";

const TicketOrigin = graphql(`
  fragment TicketOrigin on Ticket {
    source externalReference createdByActor { kind id } createdBy { id displayName }
    reporter { externalName externalEmail user { id displayName email } }
  }
`);

const SimilarTickets = graphql(`
  fragment SimilarTickets on Ticket {
    similar(first: 5) { similarity sharedWords ticket { id title status createdAt } }
  }
`);

const TicketChanges = graphql(`
  fragment TicketChanges on Ticket {
    createdAt service
    changesBefore(hours: 24, first: 10) {
      truncated
      changes {
        at
        change {
          __typename
          ... on Deployment { id version environment deployed: service url }
          ... on Commit { id sha subject authorName repository { id name } }
        }
      }
    }
  }
`);

interface Part {
  readonly problem: Problem | undefined;
  readonly retry: () => void;
}

const UNTOLD: Problem = { code: "UNAVAILABLE", message: "it was not told." };

function Section({ id, title, children }: { readonly id: string; readonly title: string; readonly children: ReactNode }) {
  return (
    <Card withBorder padding="md" component="section" aria-labelledby={id}>
      <Title order={2} size="h5" id={id} mb="xs">{title}</Title>
      <Stack gap="xs">{children}</Stack>
    </Card>
  );
}

/** Who told of a ticket, and which way it came. */
export function Origin({ ticket, hidesEmail }: { readonly ticket: FragmentType<typeof TicketOrigin>; readonly hidesEmail: boolean }) {
  const { source, externalReference, reporter, createdBy, createdByActor } = readFragment(TicketOrigin, ticket);
  const name = reporter.externalName ?? reporter.user?.displayName ?? (reporter.externalEmail === null ? "Unknown" : undefined);
  const email = reporter.externalEmail ?? reporter.user?.email;
  const outside = reporter.externalName != null;
  const link = externalReference == null ? undefined : webAddress(externalReference);
  return (
    <Section id="origin" title="Reporter">
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {name}{outside ? " (from outside)" : ""}{" "}
        {email ? <Text component="span" size="sm" c="dimmed">{email}</Text> : hidesEmail && (outside || reporter.user) && <Masked what="the e-mail address" />}
      </Text>
      <Text size="sm" c="dimmed">Came by {source}, written by {createdBy?.displayName ?? (createdByActor.kind === "USER" ? "a person" : createdByActor.id)}</Text>
      {externalReference != null && (
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          Reference: {link === undefined ? externalReference : <Anchor href={link} target="_blank" rel="noopener noreferrer nofollow" size="sm">{externalReference}</Anchor>}
        </Text>
      )}
    </Section>
  );
}

/** Whether it was told before. */
export function Similar({ ticket, problem, retry }: Part & { readonly ticket: FragmentType<typeof SimilarTickets> }) {
  const { similar } = readFragment(SimilarTickets, ticket);
  return (
    <Section id="similar" title="Similar tickets">
      {similar?.length === 0 && <Text size="sm" c="dimmed">None: nobody told of the like before.</Text>}
      {similar?.map(({ ticket: other, similarity, sharedWords }) => (
        <div key={other.id}>
          <Anchor component={Link} to={urls.ticket(other.id)} size="sm" style={{ overflowWrap: "anywhere" }}>{other.title}</Anchor>
          <Text size="xs" c="dimmed">{other.status ? STATUS_NAMES[other.status] : ""} · {Math.round(similarity * 100)} % alike: {sharedWords.join(", ")}</Text>
        </div>
      ))}
      {!similar && <MissingPart what="Similar tickets" problem={problem ?? UNTOLD} retry={retry} />}
    </Section>
  );
}

/** What was changed in the day before it was told. */
export function Changes({ ticket, problem, retry }: Part & { readonly ticket: FragmentType<typeof TicketChanges> }) {
  const { changesBefore, createdAt, service } = readFragment(TicketChanges, ticket);
  const where = service == null ? "anywhere" : `in ${service}`;
  return (
    <Section id="changes" title="Changed before it">
      {changesBefore?.changes.length === 0 && <Text size="sm" c="dimmed">Nothing is known to have changed {where} in the 24 hours before.</Text>}
      {changesBefore?.changes.map(({ at, change }) => (
        <div key={`${at} ${change && "id" in change ? change.id : ""}`}>
          <Text size="sm" style={{ overflowWrap: "anywhere" }}>
            {change?.__typename === "Deployment" && <><b>{change.deployed}</b> {change.url != null && webAddress(change.url) !== undefined ? <Anchor href={webAddress(change.url) ?? ""} target="_blank" rel="noopener noreferrer nofollow" size="sm">{change.version}</Anchor> : change.version} went live in {change.environment}</>}
            {change?.__typename === "Commit" && <><b>{change.subject}</b> by {change.authorName}{change.repository ? ` in ${change.repository.name}` : ""}</>}
            {!change && "Something that this page does not know"}
          </Text>
          <Text size="xs" c="dimmed">{before(at, createdAt)}{change?.__typename === "Commit" ? ` · ${change.sha.slice(0, 10)}` : ""}</Text>
        </div>
      ))}
      {changesBefore?.truncated === true && <Text size="xs" c="dimmed">There is more: these are the newest ten.</Text>}
      {!changesBefore && <MissingPart what="What was changed" problem={problem ?? UNTOLD} retry={retry} />}
    </Section>
  );
}
