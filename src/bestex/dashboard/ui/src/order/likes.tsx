/** The order beside those like it: how their costs lie, and where this one stands. */

import { useMemo } from "preact/hooks";

import { number, percent, signed, timeOf, words, zoneName } from "../format.ts";
import { type Entry, entryOf, orderIds, stateChanges } from "../live/book.ts";
import { instruments } from "../live/desk.ts";
import type { Column } from "../parts/columns.ts";
import { Table } from "../parts/table.tsx";
import { go, orderAddress } from "../route.ts";
import { ticks } from "../ticket/frontier.tsx";
import { LIKE_LEAST, type Like, likeOrders, sizeBucket, standingOf } from "./alike.ts";

const WIDTH = 420;
const HEIGHT = 74;
const SIDE = 16;
const LINE = 40;

function Distribution({ cost, likes }: { cost: number | null; likes: readonly Like[] }) {
  const { low, median, high } = standingOf(cost, likes);
  const all = [...likes.map((like) => like.cost), ...(cost === null ? [] : [cost])];
  const room = Math.max((Math.max(...all) - Math.min(...all)) * 0.06, 0.5);
  const from = Math.min(...all) - room;
  const to = Math.max(...all) + room;
  const x = (value: number): number => SIDE + ((value - from) / (to - from)) * (WIDTH - 2 * SIDE);
  return (
    <svg class="distribution" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`Costs of ${likes.length} like orders, in bps; this one ${signed(cost)}`}>
      {ticks(from, to, 6).map((tick) => (
        <g key={tick}>
          <line class="grid" x1={x(tick)} x2={x(tick)} y1="16" y2={HEIGHT - 16} />
          <text class="tick" x={x(tick)} y={HEIGHT - 4} text-anchor="middle">
            {signed(tick, to - from < 4 ? 1 : 0)}
          </text>
        </g>
      ))}
      <rect class="half" x={x(low)} width={Math.max(1, x(high) - x(low))} y={LINE - 11} height="22" rx="2">
        <title>{`The middle half: ${signed(low)} to ${signed(high)} bps`}</title>
      </rect>
      <line class="median" x1={x(median)} x2={x(median)} y1={LINE - 11} y2={LINE + 11} />
      {likes.map((like) => (
        <circle key={like.order.order_id} class="like" cx={x(like.cost)} cy={LINE} r="3.5">
          <title>{`${like.order.order_id}: ${signed(like.cost)} bps`}</title>
        </circle>
      ))}
      {cost === null ? null : (
        <g class="this">
          <path d={`M ${x(cost)} ${LINE - 7} l 7 7 l -7 7 l -7 -7 z`} />
          <text x={x(cost)} y="12" text-anchor={x(cost) > WIDTH * 0.85 ? "end" : x(cost) < WIDTH * 0.15 ? "start" : "middle"}>
            this order {signed(cost)}
          </text>
        </g>
      )}
    </svg>
  );
}

function columnsOf(zone: string): readonly Column<Like>[] {
  return [
    {
      key: "order",
      head: "Order",
      value: ({ order }) => order.order_id,
      text: ({ order }) => order.order_id,
      cell: ({ order }) => (
        <a href={orderAddress(order.order_id)} tabIndex={-1}>
          {order.order_id}
        </a>
      ),
      class: () => "nowrap",
    },
    {
      key: "arrived",
      head: "Arrived",
      unit: zoneName(zone),
      isFigure: true,
      value: ({ order }) => order.created_time,
      text: ({ order }) => timeOf(order.created_time, zone, true),
      title: ({ order }) => `${order.created_time} UTC`,
    },
    { key: "quantity", head: "Quantity", unit: "shares", isFigure: true, value: ({ order }) => order.quantity, text: ({ order }) => number(order.quantity) },
    { key: "cost", head: "Paid", unit: "bps", term: "total", isFigure: true, value: ({ cost }) => cost, text: ({ cost }) => signed(cost) },
    {
      key: "expected",
      head: "Expected",
      unit: "bps",
      term: "expected_cost_bps",
      isFigure: true,
      value: ({ expected }) => expected,
      text: ({ expected }) => signed(expected),
      title: ({ expected }) => (expected === null ? "The order was sent without a recommendation" : undefined),
    },
    { key: "grade", head: "Grade", value: ({ grade }) => (grade === null ? null : words(grade)), text: ({ grade }) => words(grade) },
  ];
}

export function LikeOrders({ entry, zone }: { entry: Entry; zone: string }) {
  const { order, cost } = entry;
  const daily = instruments.value.get(order.instrument_id)?.average_daily_volume;
  const likes = useMemo(() => {
    const known = orderIds.value.map((id) => entryOf(id)?.peek()).filter((one) => one !== undefined);
    return likeOrders(order, known, daily);
  }, [orderIds.value, stateChanges.value, order.order_id, order.quantity, order.algorithm, cost, daily]);
  const columns = useMemo(() => columnsOf(zone), [zone]);
  const { low, median, high, dearerThan } = standingOf(cost, likes);
  const alike = `${words(order.side).toLowerCase()}s of ${order.instrument_id}, ${sizeBucket(order.quantity, daily)}, ${words(order.algorithm).toLowerCase()}`;
  return (
    <section class="panel" aria-label="Like orders">
      <Table
        name={`Orders like ${order.order_id}`}
        title={
          <>
            Like orders <span class="muted">{likes.length}</span>
          </>
        }
        extra={<span class="muted">{alike}</span>}
        columns={columns}
        rows={likes}
        id={(like) => like.order.order_id}
        open={(like) => go(orderAddress(like.order.order_id))}
        most={50}
        empty={`None yet: this is the first of the ${alike}.`}
        above={
          <div class="standing">
            <p>
              {cost === null ? (
                "Not measured yet."
              ) : dearerThan === null ? (
                <>
                  Paid <b class="figure">{signed(cost)}</b> bps. Too few to rank it: {likes.length} of at least {LIKE_LEAST}.
                </>
              ) : (
                <>
                  Paid <b class="figure">{signed(cost)}</b> bps: dearer than <b class="figure">{percent(dearerThan, 0)} %</b> of {likes.length} like orders.
                </>
              )}{" "}
              <span class="muted">
                Theirs: median {signed(median)}, middle half {signed(low)} to {signed(high)} bps.
              </span>
            </p>
            {likes.length === 0 ? null : <Distribution cost={cost} likes={likes} />}
          </div>
        }
      />
    </section>
  );
}
