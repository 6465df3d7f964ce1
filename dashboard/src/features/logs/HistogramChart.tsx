import "@mantine/charts/styles.css";
import { BarChart } from "@mantine/charts";
import type { BucketRow } from "./LogHistogram";
import classes from "./LogHistogram.module.css";

const SERIES = [
  { name: "TRACE", color: "gray.5" }, { name: "DEBUG", color: "gray.6" }, { name: "none", label: "no severity", color: "gray.7" },
  { name: "INFO", color: "teal.5" }, { name: "WARN", color: "yellow.6" }, { name: "ERROR", color: "red.6" }, { name: "FATAL", color: "red.9" },
] as const;

/** The bars; in a file of its own so that the chart library is read only by who looks at one. */
export default function HistogramChart({ rows, choose }: { readonly rows: readonly BucketRow[]; readonly choose: (row: BucketRow) => void }) {
  const present = SERIES.filter(({ name }) => rows.some((row) => row[name] > 0));
  return (
    <BarChart
      className={classes.chart ?? ""} h={160} type="stacked" dataKey="label" data={rows.map((row) => ({ ...row }))} series={present.map((each) => ({ ...each }))}
      withYAxis gridAxis="x" tickLine="none" barProps={{ isAnimationActive: false }} withTooltip tooltipAnimationDuration={0}
      xAxisProps={{ interval: "preserveStartEnd", minTickGap: 40 }} yAxisProps={{ width: 44, allowDecimals: false }}
      barChartProps={{
        accessibilityLayer: false, barCategoryGap: 1,
        onClick: ({ activeTooltipIndex }) => {
          const row = rows[Number(activeTooltipIndex)];
          if (row && row.count > 0) choose(row);
        },
      }}
    />
  );
}
