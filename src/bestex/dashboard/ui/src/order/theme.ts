/** The charts' colours, read from the style sheet, so that there is one palette. Changes with the system's dark and light. */

import { signal } from "@preact/signals";

export interface Theme {
  back: string;
  line: string;
  hair: string;
  text: string;
  muted: string;
  blue: string;
  orange: string;
  bar: string;
  select: string;
  font: string;
}

function read(): Theme {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    back: of("panel"),
    line: of("line"),
    hair: of("hair"),
    text: of("text"),
    muted: of("muted"),
    blue: of("blue"),
    orange: of("orange"),
    bar: of("bar"),
    select: of("select"),
    font: of("font"),
  };
}

export const theme = signal<Theme>(read());

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  theme.value = read();
});
