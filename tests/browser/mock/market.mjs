// A made-up market and made-up answers in the API's shapes, for the screens' own tests. Seeded, so that a test can be repeated.

export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

export const OPEN = Date.parse("2026-11-20T14:30:00Z");

export const INSTRUMENTS = [
  ["AAPL", "Apple Inc.", 227.4, 52_000_000],
  ["MSFT", "Microsoft Corp.", 415.1, 21_000_000],
  ["KRNL", "Kernel Works (invented)", 18.2, 240_000],
  ["WOBL", "Wobble Holdings (invented)", 6.05, 90_000],
].map(([instrument_id, name, price, volume]) => ({
  instrument_id,
  name,
  asset_class: "EQUITY",
  currency: "USD",
  tick_size: 0.01,
  lot_size: 1,
  multiplier: 1,
  calendar: "XNYS",
  venues: ["NYSE", "NASDAQ", "BATS", "DARK_POOL_1"],
  average_daily_volume: volume,
  daily_volatility: 0.018,
  is_generated: true,
  price,
}));

export const VENUES = ["NYSE", "NASDAQ", "BATS", "DARK_POOL_1"].map((venue_id) => ({
  venue_id,
  name: venue_id,
  venue_type: venue_id === "DARK_POOL_1" ? "DARK_POOL" : "PRIMARY_EXCHANGE",
  maker_fee: -0.002,
  taker_fee: 0.003,
  is_generated: true,
}));

/** One second a step, from the open; prices on the tick grid. */
export class Tape {
  constructor(instrument, random) {
    this.instrument = instrument;
    this.random = random;
    this.price = instrument.price;
    this.volume = 0;
    this.notional = 0;
    this.seconds = [];
  }

  step() {
    const { random } = this;
    this.price *= 1 + (random() + random() + random() - 1.5) * 2.4e-4;
    const bid = Math.floor(this.price * 100) / 100;
    const traded = Math.round((this.instrument.average_daily_volume / 23_400) * (0.4 + 1.2 * random()));
    this.volume += traded;
    this.notional += traded * this.price;
    this.seconds.push({ bid, ask: Math.round((bid + 0.01 + (random() < 0.2 ? 0.01 : 0)) * 100) / 100, traded });
  }

  quote(time) {
    const { bid, ask } = this.seconds.at(-1);
    const mid = (bid + ask) / 2;
    return {
      instrument_id: this.instrument.instrument_id,
      time,
      bid,
      ask,
      bid_quantity: 900,
      ask_quantity: 1100,
      last_price: bid,
      cumulative_volume: this.volume,
      cumulative_notional: this.notional,
      is_generated: true,
      mid,
      spread: ask - bid,
      spread_bps: ((ask - bid) / mid) * 1e4,
    };
  }

  /** What strategy would make of the market. */
  conditions(time) {
    const said = (label) => ({ label, confidence: 0.8, source: "made up", values: {} });
    return { instrument_id: this.instrument.instrument_id, time, regime: "NORMAL", volatility: said("NORMAL"), liquidity: said("THIN"), trend: said("RISING"), intraday_pattern: said("MORNING"), confidence: 0.8, context: {}, is_generated: true };
  }

  bars(start, end, width) {
    const out = [];
    const first = Math.max(0, Math.floor((start - OPEN) / 1000));
    const last = Math.min(this.seconds.length, Math.ceil((end - OPEN) / 1000));
    for (let at = first; at < last; at += width) {
      const part = this.seconds.slice(at, Math.min(at + width, last));
      if (part.length === 0) break;
      const mids = part.map(({ bid }) => bid);
      out.push({
        start: new Date(OPEN + at * 1000).toISOString(),
        end: new Date(OPEN + (at + width) * 1000).toISOString(),
        open: mids[0],
        high: Math.max(...mids),
        low: Math.min(...mids),
        close: mids.at(-1),
        volume: part.reduce((sum, { traded }) => sum + traded, 0),
        notional: 0,
      });
    }
    return out;
  }
}
