/** A labelled control with its unit, its hint, and its error beside it. */

import type { ComponentChildren } from "preact";

interface Props {
  id: string;
  label: string;
  unit?: string | undefined;
  hint?: string | undefined;
  error?: string | undefined;
  children: ComponentChildren;
}

/** The control inside must have `id`, and `aria-describedby` from `described`. */
export function Field({ id, label, unit, hint, error, children }: Props) {
  return (
    <div class={`field${error ? " bad" : ""}`}>
      <label for={id}>
        {label}
        {unit ? <span class="unit"> {unit}</span> : null}
      </label>
      {children}
      {error ? (
        <p class="error" id={`${id}-note`} role="alert">
          {error}
        </p>
      ) : (
        <p class="hint" id={`${id}-note`}>
          {hint ?? ""}
        </p>
      )}
    </div>
  );
}

export function described(id: string, error: string | undefined) {
  return { id, name: id, "aria-describedby": `${id}-note`, "aria-invalid": error ? true : undefined } as const;
}
