/** What did it cost, and was that skill? Shown once the order is done. */

import type { Analytics, QualityResult, Selection } from "../api/types.ts";
import type { Entry } from "../live/book.ts";
import { Alternatives } from "./alternatives.tsx";
import { Benchmarks, Markouts, Venues } from "./benchmarks.tsx";
import { Breakdown, Grade } from "./grade.tsx";
import { LikeOrders } from "./likes.tsx";
import { Waterfall } from "./waterfall.tsx";

interface Props {
  entry: Entry;
  zone: string;
  selections: readonly Selection[];
  analytics: Analytics | null;
  quality: QualityResult | null;
  currency: string;
  tick: number;
}

export function After({ entry, zone, selections, analytics, quality, currency, tick }: Props) {
  const costs = analytics?.cost_analysis ?? null;
  return (
    <div class="after">
      <section class="panel" aria-label="Shortfall">
        <Waterfall costs={costs} currency={currency} />
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
        {analytics === null || costs === null ? (
          <p class="calm">After the measurement.</p>
        ) : (
          <>
            <Benchmarks analytics={analytics} tick={tick} currency={currency} />
            <Markouts analytics={analytics} />
          </>
        )}
        {quality === null ? null : <Venues quality={quality} />}
        {quality === null || quality.improvement_recommendations.length === 0 ? null : (
          <ul class="advice">
            {quality.improvement_recommendations.map((advice) => (
              <li key={advice}>{advice}</li>
            ))}
          </ul>
        )}
      </section>
      <div class="beside">
        <LikeOrders entry={entry} zone={zone} />
        <Alternatives order={entry.order} selections={selections} paid={entry.cost ?? costs?.implementation_shortfall_bps ?? null} />
      </div>
    </div>
  );
}
