/** Was that skill? The grade with its interval, and what it is made of. */

import type { MetricScore, QualityResult } from "../api/types.ts";
import { number, percent, signed, words } from "../format.ts";
import type { Column } from "../parts/columns.ts";
import { Defined } from "../parts/live.tsx";
import { Table } from "../parts/table.tsx";

const GRADES = ["POOR", "AVERAGE", "GOOD", "EXCELLENT"];

function reach({ grade_low, grade_high }: { grade_low: string; grade_high: string }): string {
  return grade_low === grade_high ? words(grade_low) : `${words(grade_low)} to ${words(grade_high).toLowerCase()}`;
}

export function Grade({ quality }: { quality: QualityResult }) {
  const { interval, overall_quality_score: score, quality_grade: grade } = quality;
  if (grade === null || score === null) {
    return <p class="calm">No grade: nothing was executed, so there is nothing to judge.</p>;
  }
  return (
    <div class="grading">
      <p>
        <b class={`grade grade-${grade.toLowerCase()} big`}>{words(grade)}</b>{" "}
        <span class="muted">
          <Defined term="quality_score">score</Defined> <span class="figure">{number(score, 2)}</span>
          {interval === null
            ? ""
            : `, ${number(interval.low, 2)} to ${number(interval.high, 2)} on 80 % of days: ${reach(interval)}`}
        </span>
      </p>
      <svg class="range wide" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" x="0" width="100" y="3.5" height="5" rx="1" />
        {interval === null ? null : <rect class="band" x={interval.low * 100} width={(interval.high - interval.low) * 100} y="3.5" height="5" rx="1" />}
        <rect class="at" x={score * 100 - 0.5} width="1" y="1" height="10" />
      </svg>
      <p class="muted">
        <Defined term="grade">How grades are made</Defined>: standard {quality.standard_version}
        {grade === "UNACCEPTABLE" ? ". Outside the order's limits." : `, of ${GRADES.map((name) => words(name).toLowerCase()).join(" · ")}`}
      </p>
    </div>
  );
}

interface Metric {
  name: string;
  score: MetricScore;
}

const PERCENT = new Set(["fraction", "share", "rate"]);

function unitOf({ unit }: MetricScore): string {
  return PERCENT.has(unit) ? "%" : unit;
}

function figureOf(score: MetricScore, value: number | null): number | null {
  return value !== null && PERCENT.has(score.unit) ? value * 100 : value;
}

function shown(score: MetricScore, value: number | null): string {
  if (score.unit === "bps") return signed(value, 1);
  return PERCENT.has(score.unit) ? percent(value, 1) : number(value, 2);
}

const COLUMNS: readonly Column<Metric>[] = [
  {
    key: "metric",
    head: "Metric",
    value: ({ name }) => words(name),
    text: ({ name, score }) => `${words(name)} ${score.note ?? ""}`,
    cell: ({ name, score }) => (
      <>
        {words(name)}
        {score.note === null || score.note === undefined ? null : <span class="muted note">{score.note}</span>}
      </>
    ),
  },
  {
    key: "value",
    head: "Value",
    isFigure: true,
    value: ({ score }) => figureOf(score, score.metric_value),
    text: ({ score }) => shown(score, score.metric_value),
    title: ({ score }) => (score.metric_value === null ? (score.note ?? "It cannot be computed") : undefined),
  },
  { key: "benchmark", head: "Benchmark", isFigure: true, value: ({ score }) => figureOf(score, score.benchmark_value), text: ({ score }) => shown(score, score.benchmark_value) },
  { key: "unit", head: "Unit", value: ({ score }) => unitOf(score), text: ({ score }) => unitOf(score), class: () => "unit" },
  { key: "score", head: "Score", unit: "0..1", term: "quality_score", isFigure: true, value: ({ score }) => score.quality_score, text: ({ score }) => number(score.quality_score, 2) },
  { key: "weight", head: "Weight", unit: "%", isFigure: true, value: ({ score }) => score.weight * 100, text: ({ score }) => percent(score.weight, 0) },
  {
    key: "rank",
    head: "Rank",
    unit: "%",
    term: "percentile",
    isFigure: true,
    value: ({ score }) => (score.percentile_rank === null ? null : score.percentile_rank * 100),
    text: ({ score }) => percent(score.percentile_rank, 0),
    title: ({ score }) => (score.percentile_rank === null ? "Too few like executions yet" : undefined),
  },
];

export function Breakdown({ quality }: { quality: QualityResult }) {
  const rows = Object.entries(quality.metric_breakdown)
    .map(([name, score]): Metric => ({ name, score }))
    .sort((a, b) => b.score.weight - a.score.weight);
  return (
    <div class="breakdown">
      <Table
        name="Metrics of the grade"
        title="What it is made of"
        columns={COLUMNS}
        rows={rows}
        id={({ name }) => name}
        rowClass={({ score }) => (score.metric_value === null ? "past" : "")}
        isPart
        empty="None: nothing could be computed."
      />
    </div>
  );
}
