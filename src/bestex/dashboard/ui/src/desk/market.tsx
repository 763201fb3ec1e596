/** One line per instrument: last, quote, spread, the volume so far against an average day. */

import type { Instrument, Quote } from "../api/types.ts";
import { compact, decimalsOf, duration, millis, number, percent } from "../format.ts";
import { deskTime, heard, instruments, quotes } from "../live/desk.ts";
import { Live } from "../parts/live.tsx";

const STALE_MS = 5000;

function Line({ instrument, quote }: { instrument: Instrument; quote: Quote | undefined }) {
  const digits = decimalsOf(instrument.tick_size);
  // Counted in the viewer's time: a market that runs twenty times as fast is twenty times as old in its own.
  const speed = heard.value?.status.speed ?? 1;
  const age = quote === undefined || deskTime.value === null ? null : (deskTime.value - millis(quote.time)) / speed;
  const isStale = age !== null && age > STALE_MS;
  const daily = instrument.average_daily_volume;
  const due = quote?.expected_volume_share && daily ? quote.expected_volume_share * daily : null;
  const pace = due === null || quote === undefined ? null : quote.cumulative_volume / due;
  return (
    <tr class={isStale ? "stale" : ""}>
      <th scope="row">
        <a href={`#/ticket?instrument=${encodeURIComponent(instrument.instrument_id)}`} title={`New order in ${instrument.name}`}>
          {instrument.instrument_id}
        </a>
        {isStale ? <span class="chip warn">no quote for {duration(age)}</span> : null}
      </th>
      <td class="figure">
        <Live text={number(quote?.last_price, digits)} />
      </td>
      <td class="figure">
        <Live text={`${number(quote?.bid, digits)} / ${number(quote?.ask, digits)}`} />
      </td>
      <td class="figure">
        <Live text={number(quote?.spread_bps, 1)} />
      </td>
      <td class="figure" title={`${number(quote?.cumulative_volume)} since the open; an average day has ${compact(daily)}`}>
        {compact(quote?.cumulative_volume)}
      </td>
      <td class="figure" title={due === null ? "The session is closed, or there is no history" : `${compact(due)} expected by now`}>
        {percent(pace, 0)}
      </td>
    </tr>
  );
}

export function MarketStrip() {
  const known = [...instruments.value.values()];
  return (
    <section class="panel market" aria-label="Market">
      <header class="panel-head">
        <h2>Market</h2>
      </header>
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Instrument</th>
            <th scope="col" class="figure">
              Last
            </th>
            <th scope="col" class="figure">
              Bid / ask
            </th>
            <th scope="col" class="figure">
              Spread <span class="unit">bps</span>
            </th>
            <th scope="col" class="figure">
              Volume
            </th>
            <th scope="col" class="figure">
              <abbr class="defined" title="Volume since the open over what the volume curve of an average day expects by now. 100 = an average day.">
                Curve
              </abbr>{" "}
              <span class="unit">%</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {known.map((instrument) => (
            <Line key={instrument.instrument_id} instrument={instrument} quote={quotes.value.get(instrument.instrument_id)} />
          ))}
        </tbody>
      </table>
    </section>
  );
}
