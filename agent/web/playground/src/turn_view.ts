// Each turn's response time: the total in bold, and the stages as bars from the caller's last word.
import { byId, element } from "./dom";
import { FAIR_MS, GOOD_MS, type Stage, type Turn, pace, stages } from "./turns";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000;
/** Bars of all turns share this scale, so they can be compared; a longer turn stretches its own. */
const SCALE_MS = 1200;

export class TurnView {
  private readonly list = byId<HTMLOListElement>("turns");

  clear(): void {
    this.list.replaceChildren();
  }

  /** Adds a turn on top, opened; the ones below are folded to a line. */
  show(turn: Turn): void {
    this.list.querySelectorAll("details").forEach((details) => (details.open = false));
    const details = element("details", { class: "turn", data: { testid: "turn", turn: String(turn.turn) } });
    const total = turn.voice_to_voice_ms;
    if (total !== null) details.dataset.pace = pace(total);
    details.append(summary(turn), table(turn), element("p", { class: "turn-note" }, note(turn)));
    details.open = true;
    this.list.prepend(element("li", {}, details));
  }
}

function summary(turn: Turn): HTMLElement {
  const total = element("span", { class: "total", data: { testid: "total" } }, text(turn.voice_to_voice_ms));
  const line = bar(scaleOf(turn), [{ key: "total", startMs: 0, durationMs: turn.voice_to_voice_ms ?? 0 }]);
  return element("summary", {}, element("span", {}, `Turn ${turn.turn}`), line, total);
}

function table(turn: Turn): HTMLTableElement {
  const scaleMs = scaleOf(turn);
  const total: Span = { key: "total", startMs: 0, durationMs: turn.voice_to_voice_ms ?? 0 };
  const body = element("tbody", {}, ...stages(turn).map((stage) => row(stage.label, stage.durationMs, bar(scaleMs, [stage]))));
  body.append(row("Total", turn.voice_to_voice_ms, bar(scaleMs, [total])));
  const caption = element("caption", { class: "visually-hidden" }, `Stages of turn ${turn.turn}`);
  return element("table", { class: "waterfall" }, caption, body);
}

function row(label: string, ms: number | null, drawing: Element): HTMLTableRowElement {
  const name = element("th", {}, label);
  name.scope = "row";
  const drawn = element("td", { class: "bar-cell" }, drawing);
  drawn.setAttribute("aria-hidden", "true");
  return element("tr", {}, name, drawn, element("td", {}, text(ms)));
}

function note(turn: Turn): string {
  const parts = [turn.preempted ? "Reply prepared during the pause." : "Reply started after the end of the turn."];
  if (turn.end_of_turn_probability !== null) parts.push(`End of turn judged ${Math.round(turn.end_of_turn_probability * 100)} % likely.`);
  return parts.join(" ");
}

interface Span {
  key: Stage["key"] | "total";
  startMs: number;
  durationMs: number;
  ahead?: boolean;
}

function bar(scaleMs: number, spans: Span[]): SVGSVGElement {
  const svg = shape("svg", { class: "bar", viewBox: `0 0 ${WIDTH} 10`, preserveAspectRatio: "none", "aria-hidden": "true" });
  svg.append(shape("rect", { class: "track", x: "0", y: "4", width: String(WIDTH), height: "2" }));
  for (const limit of [GOOD_MS, FAIR_MS])
    if (limit < scaleMs) svg.append(shape("rect", { class: "mark", x: String((limit / scaleMs) * WIDTH), y: "0", width: "3", height: "10" }));
  for (const span of spans) {
    const width = Math.max(6, (span.durationMs / scaleMs) * WIDTH);
    const classes = `span-${span.key}${span.ahead ? " ahead" : ""}`;
    svg.append(shape("rect", { class: classes, x: String((span.startMs / scaleMs) * WIDTH), y: "0", width: String(width), height: "10" }));
  }
  return svg;
}

function shape<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Record<string, string>): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function scaleOf(turn: Turn): number {
  const ends = stages(turn).map((stage) => stage.startMs + stage.durationMs);
  return Math.max(SCALE_MS, turn.voice_to_voice_ms ?? 0, ...ends);
}

function text(ms: number | null): string {
  return ms === null ? "–" : `${Math.round(ms)} ms`;
}
