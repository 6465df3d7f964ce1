import { createTheme, Modal, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const teal: MantineColorsTuple = ["#e3fafc", "#c5f0f6", "#99e4ee", "#66d5e4", "#3bc6d9", "#1faec3", "#1098ad", "#0b7285", "#0a6577", "#085666"];
// Darker than the library's: a screen at night should not light the room.
const dark: MantineColorsTuple = ["#dfe2e8", "#c3c8d1", "#a7aebb", "#6f7786", "#3d434f", "#2c313a", "#22262e", "#16181d", "#121418", "#0d0f12"];

export const theme = createTheme({
  primaryColor: "teal",
  primaryShade: { light: 7, dark: 7 },
  colors: { teal, dark },
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  defaultRadius: "sm",
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    // A dialog's head is not the head of the page, though both are header elements.
    Modal: Modal.extend({ defaultProps: { closeButtonProps: { "aria-label": "Close" }, attributes: { header: { role: "presentation" } } } }),
  },
});

/** Text colours that keep a contrast of 4.5:1 (WCAG 2.2, 1.4.3) on every surface of the page. */
export const contrast: CSSVariablesResolver = () => ({
  variables: {},
  light: { "--mantine-color-dimmed": "#565d67", "--mantine-color-anchor": "#0a6577", "--mantine-color-placeholder": "#6a717b", "--mantine-color-error": "#c92a2a" },
  dark: { "--mantine-color-dimmed": "#a7aebb", "--mantine-color-anchor": "#66d5e4", "--mantine-color-placeholder": "#8b93a1", "--mantine-color-error": "#ff8787" },
});
