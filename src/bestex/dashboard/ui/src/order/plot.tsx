/** A uPlot picture that keeps its size and its colours. */

import "uplot/dist/uPlot.min.css";

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";

import { compact, timeOf } from "../format.ts";
import { type Theme, theme } from "./theme.ts";

interface Props {
  data: uPlot.AlignedData;
  /** Series, bands and axes for the current colours. Called again when these change. */
  options: (colours: Theme) => Pick<uPlot.Options, "series"> & Partial<uPlot.Options>;
  says: string;
  height: number;
  zone: string;
}

export function baseAxes(colours: Theme, zone: string, left: (value: number) => string = compact): uPlot.Axis[] {
  const common = {
    stroke: colours.muted,
    font: `11px ${colours.font}`,
    ticks: { stroke: colours.line, size: 4 },
    border: { show: true, stroke: colours.line },
  };
  return [
    { ...common, grid: { show: false }, values: (_plot, ticks) => ticks.map((tick) => timeOf(tick * 1000, zone)), space: 70 },
    { ...common, grid: { stroke: colours.hair, width: 1 }, values: (_plot, ticks) => ticks.map(left), size: 52 },
  ];
}

export function Plot({ data, options, says, height, zone }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const colours = theme.value;

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new uPlot(
      {
        width: element.clientWidth || 300,
        height,
        legend: { show: false },
        cursor: { y: false, points: { show: false } },
        scales: { x: { time: true } },
        axes: baseAxes(colours, zone),
        ...options(colours),
      },
      data,
      element,
    );
    plot.current = made;
    const watcher = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [colours, zone, height]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);

  return <div ref={box} class="plot" role="img" aria-label={says} />;
}
