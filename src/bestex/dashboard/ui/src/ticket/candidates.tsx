/** The recommended execution strategy beside its alternatives, on shared scales. */

import type { ExecutionStrategy, ExpectedOutcomes, Recommendation } from "../api/types.ts";
import { algorithm, bps, number, percent, words } from "../format.ts";
import { Defined } from "../parts/live.tsx";
import { Range, Share } from "./ranges.tsx";

export interface Candidate {
  strategy: ExecutionStrategy;
  outcomes: ExpectedOutcomes;
  note: string | null; // why it was not chosen; null for the recommended one
}

export function candidatesOf(answer: Recommendation): Candidate[] {
  return [
    { strategy: answer.recommended_strategy, outcomes: answer.expected_outcomes, note: null },
    ...answer.alternative_strategies.slice(0, 2).map((other) => ({
      strategy: other.strategy,
      outcomes: other.expected_outcomes,
      note: other.why_not_chosen,
    })),
  ];
}

function spanOf(values: number[]): readonly [number, number] {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const room = (high - low) * 0.04;
  return [low - (low < 0 ? room : 0), high + room];
}

function split(allocation: Record<string, number>): string {
  return Object.entries(allocation)
    .sort((a, b) => b[1] - a[1])
    .map(([venue, share]) => `${venue} ${percent(share, 0)} %`)
    .join(", ");
}

interface Props {
  answer: Recommendation;
  chosen: number;
  choose: (index: number) => void;
}

export function Candidates({ answer, chosen, choose }: Props) {
  const candidates = candidatesOf(answer);
  const costs = spanOf(candidates.flatMap(({ outcomes }) => [outcomes.cost_low, outcomes.cost_high, outcomes.estimated_cost]));
  const risks = spanOf(candidates.map(({ outcomes }) => outcomes.cost_sd));
  const times = spanOf(candidates.map(({ outcomes }) => outcomes.estimated_time_minutes));
  const impacts = spanOf(candidates.map(({ outcomes }) => outcomes.market_impact));

  const rows: { head: preact.ComponentChildren; unit: string; cell: (candidate: Candidate) => [preact.ComponentChildren, preact.ComponentChildren] }[] = [
    {
      head: <Defined term="cost_range">Cost</Defined>,
      unit: "bps",
      cell: ({ outcomes: { estimated_cost, cost_low, cost_high } }) => [
        bps(estimated_cost),
        <Range low={cost_low} mark={estimated_cost} high={cost_high} scale={costs} says={`${bps(cost_low)} to ${bps(cost_high)} bps, expected ${bps(estimated_cost)}`} />,
      ],
    },
    {
      head: <Defined term="cost_sd">Risk</Defined>,
      unit: "sd bps",
      cell: ({ outcomes: { cost_sd } }) => [
        number(cost_sd * 1e4, 1),
        <Range low={0} mark={cost_sd} high={cost_sd} scale={risks} says={`standard deviation ${number(cost_sd * 1e4, 1)} bps`} />,
      ],
    },
    {
      head: <Defined term="estimated_time_minutes">Time</Defined>,
      unit: "min",
      cell: ({ outcomes: { estimated_time_minutes } }) => [
        number(estimated_time_minutes),
        <Range low={0} mark={estimated_time_minutes} high={estimated_time_minutes} scale={times} says={`${estimated_time_minutes} minutes`} />,
      ],
    },
    {
      head: <Defined term="market_impact">Impact</Defined>,
      unit: "bps",
      cell: ({ outcomes: { market_impact } }) => [
        bps(market_impact),
        <Range low={Math.min(0, market_impact)} mark={market_impact} high={Math.max(0, market_impact)} scale={impacts} says={`${bps(market_impact)} bps`} />,
      ],
    },
    {
      head: <Defined term="completion_probability">Completes</Defined>,
      unit: "%",
      cell: ({ outcomes: { completion_probability } }) => [
        <span class={completion_probability < 0.9 ? "worse" : ""}>{percent(completion_probability, 0)}</span>,
        <Share value={completion_probability} says={`${percent(completion_probability, 0)} % to complete`} />,
      ],
    },
  ];

  return (
    <table class="candidates">
      <caption class="sr">Recommended execution strategy and alternatives</caption>
      <thead>
        <tr>
          <th scope="col" />
          {candidates.map(({ strategy }, index) => (
            <th key={strategy.strategy_name} scope="col" class={index === chosen ? "chosen" : ""}>
              <label>
                <input type="radio" name="candidate" checked={index === chosen} onChange={() => choose(index)} />
                <span class="name">{strategy.strategy_name}</span>
                <span class="muted">
                  {algorithm(strategy.algorithm)}
                  {index === 0 ? ", recommended" : ""}
                </span>
              </label>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ head, unit, cell }) => (
          <tr key={unit}>
            <th scope="row">
              {head} <span class="unit">{unit}</span>
            </th>
            {candidates.map((candidate, index) => {
              const [text, picture] = cell(candidate);
              return (
                <td key={candidate.strategy.strategy_name} class={index === chosen ? "chosen" : ""}>
                  <span class="figure">{text}</span>
                  {picture}
                </td>
              );
            })}
          </tr>
        ))}
        <tr>
          <th scope="row">Style</th>
          {candidates.map(({ strategy }, index) => (
            <td key={strategy.strategy_name} class={index === chosen ? "chosen" : ""}>
              {words(String((strategy.parameters as Record<string, unknown>).execution_style ?? ""))}, at most{" "}
              {percent(strategy.risk_controls.max_participation_rate, 0)} % of volume
            </td>
          ))}
        </tr>
        <tr>
          <th scope="row">Venues</th>
          {candidates.map(({ strategy }, index) => (
            <td key={strategy.strategy_name} class={index === chosen ? "chosen" : ""}>
              {split(strategy.venue_allocation)}
            </td>
          ))}
        </tr>
        <tr>
          <th scope="row">Why not</th>
          {candidates.map(({ strategy, note }, index) => (
            <td key={strategy.strategy_name} class={`muted${index === chosen ? " chosen" : ""}`}>
              {note ?? "–"}
            </td>
          ))}
        </tr>
      </tbody>
    </table>
  );
}
