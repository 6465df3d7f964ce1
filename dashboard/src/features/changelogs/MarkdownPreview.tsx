import { Typography } from "@mantine/core";
import Markdown from "react-markdown";
import { readFragment, type FragmentType } from "../../gql";
import classes from "./Changelog.module.css";
import { NotesFields } from "./NotesText";

/** The notes as a reader of the file sees them. HTML in them stays text, and nothing is fetched from elsewhere. */
export default function MarkdownPreview({ changelog }: { readonly changelog: FragmentType<typeof NotesFields> }) {
  const { markdown } = readFragment(NotesFields, changelog);
  return (
    <Typography className={classes.preview}>
      {/* The page has its own h1. */}
      <Markdown disallowedElements={["img"]} unwrapDisallowed components={{ h1: "h2" }}>{markdown}</Markdown>
    </Typography>
  );
}
