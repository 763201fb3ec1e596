/** The corner that follows actions: asked, accepted by the desk, acknowledged on the stream, or refused and why. */

import { duration } from "../format.ts";
import { now } from "../live/desk.ts";
import { dismiss, steps } from "./log.ts";

const WORDS = {
  asked: "asked",
  accepted: "accepted, waiting for the venues",
  acknowledged: "acknowledged",
  refused: "refused",
} as const;

export function Steps() {
  return (
    <div class="steps" role="status" aria-live="polite">
      {steps.value.map((step) => (
        <div key={step.key} class={`step step-${step.stage}`}>
          <div>
            <strong>{step.says}</strong>
            <span class="muted">
              {" "}
              {WORDS[step.stage]} {step.answered === null ? `for ${duration(now.value - step.asked)}` : `after ${duration(step.answered - step.asked)}`}
            </span>
            {step.detail === null ? null : <p class="error">{step.detail}</p>}
          </div>
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => dismiss(step.key)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
