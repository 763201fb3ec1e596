/** Small pieces that every table uses: a figure that fades once when it changes, its definition, a state, a side. */

import { useRef } from "preact/hooks";

import type { ParentState, Severity, Side } from "../api/types.ts";
import { words } from "../format.ts";
import { DEFINITIONS, type Term } from "../glossary.ts";

/** Text that fades once when it changes after it was first shown. */
export function Live({ text, title }: { text: string; title?: string | undefined }) {
  const shown = useRef(text);
  const turn = useRef(0);
  if (shown.current !== text) {
    shown.current = text;
    turn.current += 1;
  }
  const fade = turn.current === 0 ? "" : turn.current % 2 === 1 ? " fade-odd" : " fade-even";
  return (
    <span class={`live${fade}`} title={title}>
      {text}
    </span>
  );
}

/** A word with its definition on hover and for screen readers. */
export function Defined({ term, children }: { term: Term; children: string }) {
  return (
    <abbr class="defined" title={DEFINITIONS[term]}>
      {children}
    </abbr>
  );
}

const STATE_MARK: Record<ParentState, string> = {
  PENDING: "○",
  WORKING: "▶",
  PAUSED: "❙❙",
  CANCELLING: "◌",
  FILLED: "●",
  CANCELLED: "×",
  REJECTED: "!",
  EXPIRED: "◔",
};

export function State({ state }: { state: ParentState }) {
  return (
    <span class={`state state-${state.toLowerCase()}`}>
      <span class="mark" aria-hidden="true">
        {STATE_MARK[state]}
      </span>
      {words(state)}
    </span>
  );
}

export function SideWord({ side }: { side: Side }) {
  return <span class={side === "BUY" ? "buy" : "sell"}>{side === "BUY" ? "Buy" : "Sell"}</span>;
}

export function SeverityWord({ severity }: { severity: Severity }) {
  return (
    <span class={`severity severity-${severity.toLowerCase()}`}>
      <span aria-hidden="true">{{ LOW: "▪", MEDIUM: "▲", HIGH: "▲▲", CRITICAL: "■" }[severity]} </span>
      {words(severity)}
    </span>
  );
}

/** "better" or "worse" for a cost against its expectation; nothing within half a basis point. */
export function costClass(cost: number | null | undefined, expected: number | null | undefined): string {
  if (cost === null || cost === undefined) return "";
  const over = cost - (expected ?? 0);
  return over > 0.5 ? "worse" : over < -0.5 ? "better" : "";
}
