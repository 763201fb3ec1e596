/** What did it cost, and was that skill? Shown once the order is done. */

import type { Analytics, MetricScore, QualityResult } from "../api/types.ts";
import { decimalsOf, number, percent, signed, words } from "../format.ts";
import { Defined } from "../parts/live.tsx";
import { Waterfall } from "./waterfall.tsx";

const BENCHMARKS: Record<string, string> = {
  arrival: "Arrival mid",
  decision: "Decision",
  interval_vwap: "Interval VWAP",
  interval_twap: "Interval TWAP",
};

function Benchmarks({ analytics, tick }: { analytics: Analytics; tick: number }) {
  const digits = decimalsOf(tick) + 2;
  const costs = analytics.cost_analysis;
  const horizons = Object.entries(costs?.markouts_bps ?? {}).sort((a, b) => Number(a[0]) - Number(b[0]));
  return (
    <>
      <table class="figures">
        <caption>Against benchmarks</caption>
        <thead>
          <tr>
            <th scope="col">Benchmark</th>
            <th scope="col" class="figure">
              Price
            </th>
            <th scope="col" class="figure">
              Slippage <span class="unit">bps</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {analytics.benchmark_comparison.map(({ benchmark, price, slippage_bps }) => (
            <tr key={benchmark}>
              <th scope="row">{BENCHMARKS[benchmark] ?? words(benchmark)}</th>
              <td class="figure">{number(price, digits)}</td>
              <td class="figure" title={slippage_bps === null ? "Nothing was filled, or the market had no price" : undefined}>
                {signed(slippage_bps, 2)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <table class="figures">
        <caption>
          <Defined term="markout">Markouts</Defined> after our fills
        </caption>
        <thead>
          <tr>
            {horizons.map(([seconds]) => (
              <th key={seconds} scope="col" class="figure">
                {Number(seconds) >= 60 ? `${Number(seconds) / 60} min` : `${seconds} s`}
              </th>
            ))}
            <th scope="col" class="figure">
              <Defined term="reversion">Reversion</Defined>
            </th>
          </tr>
        </thead>
        <tbody>
          <tr>
            {horizons.map(([seconds, value]) => (
              <td key={seconds} class="figure" title={value === null ? "The market was not seen that long after" : "bps"}>
                {signed(value, 2)}
              </td>
            ))}
            <td class="figure">{signed(costs?.reversion_bps, 2)}</td>
          </tr>
        </tbody>
      </table>
    </>
  );
}

const GRADES = ["POOR", "AVERAGE", "GOOD", "EXCELLENT"];

function Grade({ quality }: { quality: QualityResult }) {
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
            : `, ${number(interval.low, 2)} to ${number(interval.high, 2)} on 80 % of days: ${words(interval.grade_low)} to ${words(interval.grade_high).toLowerCase()}`}
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

function shown(score: MetricScore, value: number | null): string {
  if (score.unit === "bps") return signed(value, 1);
  if (score.unit === "fraction" || score.unit === "share" || score.unit === "rate") return `${percent(value, 0)} %`;
  return number(value, 2);
}

function Breakdown({ quality }: { quality: QualityResult }) {
  const rows = Object.entries(quality.metric_breakdown).sort((a, b) => b[1].weight - a[1].weight);
  return (
    <div class="scroll breakdown" tabIndex={0}>
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col" class="figure">
              Value
            </th>
            <th scope="col" class="figure">
              Benchmark
            </th>
            <th scope="col" class="figure">
              <Defined term="quality_score">Score</Defined>
            </th>
            <th scope="col" class="figure">
              Weight <span class="unit">%</span>
            </th>
            <th scope="col" class="figure">
              <Defined term="percentile">Rank</Defined>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, score]) => (
            <tr key={name} class={score.metric_value === null ? "past" : ""} title={score.note ?? undefined}>
              <th scope="row">
                {words(name)}
                {score.note === null || score.note === undefined ? null : <span class="muted note">{score.note}</span>}
              </th>
              <td class="figure">
                {shown(score, score.metric_value)} {score.unit === "bps" ? <span class="unit">bps</span> : null}
              </td>
              <td class="figure">{shown(score, score.benchmark_value)}</td>
              <td class="figure">{number(score.quality_score, 2)}</td>
              <td class="figure">{percent(score.weight, 0)}</td>
              <td class="figure">{percent(score.percentile_rank, 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Venues({ quality }: { quality: QualityResult }) {
  if (quality.venue_performance.length === 0) return null;
  return (
    <table class="figures">
      <caption>Venues</caption>
      <thead>
        <tr>
          <th scope="col">Venue</th>
          <th scope="col" class="figure">
            Shares
          </th>
          <th scope="col" class="figure">
            Eff. spread <span class="unit">bps</span>
          </th>
          <th scope="col" class="figure">
            Markout <span class="unit">bps</span>
          </th>
          <th scope="col" class="figure">
            Fee <span class="unit">bps</span>
          </th>
          <th scope="col" class="figure">
            Score
          </th>
        </tr>
      </thead>
      <tbody>
        {quality.venue_performance.map((venue) => (
          <tr key={venue.venue}>
            <th scope="row">{venue.venue}</th>
            <td class="figure">{number(venue.quantity)}</td>
            <td class="figure">{signed(venue.effective_spread_bps)}</td>
            <td class="figure">{signed(venue.markout_bps)}</td>
            <td class="figure">{signed(venue.fee_bps, 2)}</td>
            <td class="figure">{number(venue.quality_score, 2)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface Props {
  analytics: Analytics | null;
  quality: QualityResult | null;
  currency: string;
  tick: number;
}

export function After({ analytics, quality, currency, tick }: Props) {
  const costs = analytics?.cost_analysis ?? null;
  return (
    <div class="after">
      <section class="panel" aria-label="Shortfall">
        <header class="panel-head">
          <h2>
            <Defined term="total">Implementation shortfall</Defined>
          </h2>
          <span class="grow" />
          <b class="figure">{costs === null ? "" : `${signed(costs.implementation_shortfall_bps, 1)} bps`}</b>
        </header>
        {costs === null ? <p class="calm">Measuring: the market has to be seen a little longer after the last fill.</p> : <Waterfall costs={costs} currency={currency} />}
      </section>
      <section class="panel" aria-label="Grade">
        <header class="panel-head">
          <h2>Grade</h2>
        </header>
        {quality === null ? (
          <p class="calm">Not graded yet: grading follows the measurement.</p>
        ) : (
          <>
            <Grade quality={quality} />
            <Breakdown quality={quality} />
          </>
        )}
      </section>
      <section class="panel" aria-label="Benchmarks">
        <header class="panel-head">
          <h2>Benchmarks, markouts, venues</h2>
        </header>
        {analytics === null || costs === null ? <p class="calm">After the measurement.</p> : <Benchmarks analytics={analytics} tick={tick} />}
        {quality === null ? null : <Venues quality={quality} />}
        {quality === null || quality.improvement_recommendations.length === 0 ? null : (
          <ul class="advice">
            {quality.improvement_recommendations.map((advice) => (
              <li key={advice}>{advice}</li>
            ))}
          </ul>
        )}
      </section>
    </div>
  );
}
