/** Small pictures of an expectation: a range with its mark, on a scale shared by all candidates. */

interface RangeProps {
  low: number;
  mark: number;
  high: number;
  scale: readonly [number, number];
  says: string;
}

/** A band from low to high with a mark; zero has a hairline where the scale crosses it. */
export function Range({ low, mark, high, scale, says }: RangeProps) {
  const [from, to] = scale;
  const at = (value: number): number => (to > from ? ((value - from) / (to - from)) * 100 : 50);
  return (
    <svg class="range" viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label={says}>
      <title>{says}</title>
      {from < 0 && to > 0 ? <line class="zero" x1={at(0)} x2={at(0)} y1="0" y2="12" /> : null}
      <rect class="band" x={at(low)} width={Math.max(0.8, at(high) - at(low))} y="3.5" height="5" rx="1" />
      <rect class="at" x={at(mark) - 0.8} width="1.6" y="1" height="10" />
    </svg>
  );
}

/** A share of 1 as a filled bar. */
export function Share({ value, says }: { value: number; says: string }) {
  return (
    <svg class="range" viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label={says}>
      <title>{says}</title>
      <rect class="track" x="0" width="100" y="3.5" height="5" rx="1" />
      <rect class="band" x="0" width={Math.max(0, Math.min(1, value)) * 100} y="3.5" height="5" rx="1" />
    </svg>
  );
}
