/** How numbers, times and words look: the same precision down a column, and a reason in place of a number that is not there. */

/** What stands where a value cannot be computed. */
export const NONE = "–";

const grouped = new Map<number, Intl.NumberFormat>();

function fixed(digits: number): Intl.NumberFormat {
  let format = grouped.get(digits);
  if (format === undefined) {
    format = new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    grouped.set(digits, format);
  }
  return format;
}

export function number(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const text = fixed(digits).format(value);
  return text.startsWith("-") ? (/[1-9]/.test(text) ? `−${text.slice(1)}` : text.slice(1)) : text;
}

/** With an explicit sign, and a true minus; what rounds to zero has none. */
export function signed(value: number | null | undefined, digits = 1): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const text = fixed(digits).format(Math.abs(value));
  if (!/[1-9]/.test(text)) return text;
  return value > 0 ? `+${text}` : `−${text}`;
}

/** A fraction as percent, without the sign: the header says %. */
export function percent(value: number | null | undefined, digits = 1): string {
  return number(value === null || value === undefined ? value : value * 100, digits);
}

/** A fraction of notional as basis points. */
export function bps(fraction: number | null | undefined, digits = 1): string {
  return signed(fraction === null || fraction === undefined ? fraction : fraction * 10_000, digits);
}

/** Decimals of a tick or lot: 0.01 -> 2, 0.25 -> 2, 1 -> 0. */
export function decimalsOf(step: number): number {
  const text = step.toString();
  const exponent = text.indexOf("e-");
  if (exponent >= 0) return Number(text.slice(exponent + 2));
  const dot = text.indexOf(".");
  return dot < 0 ? 0 : text.length - dot - 1;
}

/** 1,234 · 12.3 k · 4.56 m: for axes and tight places. */
export function compact(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size >= 1e9) return `${fixed(2).format(value / 1e9)} bn`;
  if (size >= 1e6) return `${fixed(2).format(value / 1e6)} m`;
  if (size >= 1e4) return `${fixed(1).format(value / 1e3)} k`;
  return fixed(0).format(value);
}

/** BALANCED_EXECUTION -> Balanced execution. */
export function words(name: string | null | undefined): string {
  if (!name) return NONE;
  const spaced = name.replaceAll("_", " ").toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

const ALGORITHMS: Record<string, string> = {
  TWAP: "TWAP",
  VWAP: "VWAP",
  PARTICIPATION_RATE: "Participation",
  IMPLEMENTATION_SHORTFALL: "Shortfall",
};

export function algorithm(name: string | null | undefined): string {
  return name ? (ALGORITHMS[name] ?? words(name)) : NONE;
}

/** 850 ms · 3.2 s · 4 min 10 s · 2 h 5 min. */
export function duration(milliseconds: number | null | undefined): string {
  if (milliseconds === null || milliseconds === undefined || !Number.isFinite(milliseconds)) return NONE;
  const ms = Math.max(0, milliseconds);
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${fixed(1).format(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

// The exchange calendars' names do not say their zone, and the browser has no table of them.
const ZONES: Record<string, string> = {
  XNYS: "America/New_York",
  XNAS: "America/New_York",
  XTSE: "America/Toronto",
  XCME: "America/Chicago",
  CMES: "America/Chicago",
  XLON: "Europe/London",
  XPAR: "Europe/Paris",
  XAMS: "Europe/Amsterdam",
  XFRA: "Europe/Berlin",
  XETR: "Europe/Berlin",
  XSWX: "Europe/Zurich",
  XMIL: "Europe/Rome",
  XTKS: "Asia/Tokyo",
  XHKG: "Asia/Hong_Kong",
  XASX: "Australia/Sydney",
  "24/7": "UTC",
};

export function zoneOf(calendar: string | undefined): string {
  return (calendar && ZONES[calendar]) || "UTC";
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clock(zone: string, withDate: boolean): Intl.DateTimeFormat {
  const key = `${zone}|${withDate}`;
  let format = clocks.get(key);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      ...(withDate ? { day: "2-digit", month: "short" } : {}),
    });
    clocks.set(key, format);
  }
  return format;
}

export function timeOf(iso: string | number | null | undefined, zone: string, withDate = false): string {
  if (iso === null || iso === undefined) return NONE;
  const moment = new Date(iso);
  return Number.isNaN(moment.getTime()) ? NONE : clock(zone, withDate).format(moment);
}

/** Short name of a zone, as a trader says it: ET, CT, UTC, ... */
export function zoneName(zone: string): string {
  const short: Record<string, string> = {
    "America/New_York": "ET",
    "America/Chicago": "CT",
    "Europe/London": "London",
    "Asia/Tokyo": "Tokyo",
  };
  return short[zone] ?? zone.split("/").pop()?.replace("_", " ") ?? zone;
}

/** Milliseconds since the epoch; ISO text with nanoseconds is cut to milliseconds. */
export function millis(iso: string): number {
  return Date.parse(iso.replace(/(\.\d{3})\d+/, "$1"));
}
