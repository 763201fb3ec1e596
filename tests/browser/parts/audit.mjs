// What a reader with other eyes or without a mouse needs: names on every control, and enough contrast in every text.

/** Controls without a name that a screen reader can say. */
export function unnamed(page) {
  return page.evaluate(() => {
    const named = (element) => {
      if (element.getAttribute("aria-label")) return true;
      if (element.textContent?.trim()) return true;
      if (element.labels?.length) return [...element.labels].some((label) => label.textContent.trim() !== "");
      return (element.title ?? "") !== "" || element.getAttribute("aria-labelledby") !== null;
    };
    return [...document.querySelectorAll("button, a[href], input, select, textarea, summary, [role=grid], [role=img], section")]
      .filter((element) => element.getClientRects().length > 0 && element.getAttribute("aria-hidden") !== "true")
      .filter((element) => !named(element))
      .map((element) => element.outerHTML.slice(0, 160));
  });
}

/** Texts below 4.5 to 1 against what is painted behind them, as "ratio: text". Disabled controls are exempt (WCAG 1.4.3). */
export function faint(page) {
  return page.evaluate(() => {
    const parse = (text) => {
      const numbers = text.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
      return { r: numbers[0], g: numbers[1], b: numbers[2], a: numbers[3] ?? 1 };
    };
    const over = (top, below) => ({
      r: top.r * top.a + below.r * (1 - top.a),
      g: top.g * top.a + below.g * (1 - top.a),
      b: top.b * top.a + below.b * (1 - top.a),
      a: 1,
    });
    const light = ({ r, g, b }) => {
      const [x, y, z] = [r, g, b].map((value) => {
        const part = value / 255;
        return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const behind = (element) => {
      const layers = [];
      for (let at = element; at !== null; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
      return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
    };
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement;
      if (node.textContent.trim() === "" || element === null || element.getClientRects().length === 0) continue;
      if (element.closest(":disabled, .sr, option, script, style, .old, .skip, canvas") !== null) continue;
      const style = getComputedStyle(element);
      const isText = element instanceof SVGElement ? parse(style.fill) : parse(style.color);
      const back = behind(element);
      const [high, low] = [light(over(isText, back)), light(back)].sort((a, b) => b - a);
      const ratio = (high + 0.05) / (low + 0.05);
      if (ratio < 4.5) found.add(`${ratio.toFixed(2)}: ${node.textContent.trim().slice(0, 60)}`);
    }
    return [...found];
  });
}
