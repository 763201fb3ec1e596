/** Own fills: as a table, and those of one moment beside the pointer. */

import { useMemo } from "preact/hooks";

import type { Fill } from "../api/types.ts";
import { number, signed, timeOf, zoneName } from "../format.ts";
import type { Column } from "../parts/columns.ts";
import { Table } from "../parts/table.tsx";

const MADE: Record<Fill["liquidity"], string> = { ADDED: "maker", REMOVED: "taker", MIDPOINT: "mid", AUCTION: "auction" };

export function madeOrTook({ liquidity }: Pick<Fill, "liquidity">): string {
  return MADE[liquidity];
}

function columnsOf(zone: string, digits: number, currency: string): readonly Column<Fill>[] {
  return [
    {
      key: "time",
      head: "Time",
      unit: zoneName(zone),
      isFigure: true,
      value: ({ received_time }) => received_time,
      text: ({ received_time }) => timeOf(received_time, zone),
      title: ({ received_time }) => `${received_time} UTC`,
    },
    { key: "price", head: "Price", unit: currency, isFigure: true, value: ({ price }) => price, text: ({ price }) => number(price, digits + 1) },
    { key: "quantity", head: "Quantity", unit: "shares", isFigure: true, value: ({ quantity }) => quantity, text: ({ quantity }) => number(quantity) },
    { key: "venue", head: "Venue", value: ({ venue }) => venue, text: ({ venue }) => venue },
    { key: "liquidity", head: "Maker / taker", value: madeOrTook, text: madeOrTook },
    { key: "fee", head: "Fee", unit: currency, isFigure: true, value: ({ fee }) => fee, text: ({ fee }) => signed(fee, 2) },
    { key: "child", head: "Child order", value: ({ child_order_id }) => child_order_id, text: ({ child_order_id }) => child_order_id, class: () => "muted nowrap" },
  ];
}

interface Props {
  fills: readonly Fill[];
  zone: string;
  digits: number;
  currency: string;
}

export function Fills({ fills, zone, digits, currency }: Props) {
  const columns = useMemo(() => columnsOf(zone, digits, currency), [zone, digits, currency]);
  const rows = useMemo(() => [...fills].reverse(), [fills]);
  return (
    <section class="panel scrolled" aria-label="Fills">
      <Table
        name="Fills"
        title={
          <>
            Fills <span class="muted">{fills.length}</span>
          </>
        }
        columns={columns}
        rows={rows}
        id={({ venue, execution_id }) => `${venue} ${execution_id}`}
        most={60}
        empty="No fill yet."
      />
    </section>
  );
}

const SAID_MOST = 8;

/** The fills of one bar, beside the pointer. */
export function FillsHere({ fills, zone, digits, left, top, isRight }: { fills: readonly Fill[]; zone: string; digits: number; left: number; top: number; isRight: boolean }) {
  const total = fills.reduce((sum, { quantity }) => sum + quantity, 0);
  return (
    <div class="fills-here" role="tooltip" style={{ left: `${left}px`, top: `${top}px`, transform: isRight ? "translateX(calc(-100% - 14px))" : "translateX(14px)" }}>
      <p>
        <b class="figure">{number(total)}</b> shares in {fills.length} {fills.length === 1 ? "fill" : "fills"}
      </p>
      <table class="figures">
        <tbody>
          {fills.slice(0, SAID_MOST).map((fill) => (
            <tr key={`${fill.venue} ${fill.execution_id}`}>
              <td class="figure muted">{timeOf(fill.received_time, zone)}</td>
              <td class="figure">{number(fill.price, digits + 1)}</td>
              <td class="figure">{number(fill.quantity)}</td>
              <td>{fill.venue}</td>
              <td>{madeOrTook(fill)}</td>
              <td class="muted">{fill.child_order_id}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {fills.length > SAID_MOST ? <p class="muted">and {fills.length - SAID_MOST} more</p> : null}
    </div>
  );
}
