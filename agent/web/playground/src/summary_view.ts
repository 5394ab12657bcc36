// What the call was like, once it is over.
import { byId, clock, element } from "./dom";
import { type Turn, median } from "./turns";

export interface CallFigures {
  durationS: number;
  turns: Turn[];
  interruptions: number;
}

export class SummaryView {
  private readonly card = byId("summary");
  private readonly list = byId("summary-list");

  hide(): void {
    this.card.hidden = true;
  }

  show(figures: CallFigures): void {
    const totals = figures.turns.flatMap((turn) => turn.voice_to_voice_ms ?? []);
    const middle = median(totals);
    const rows: [string, string, string][] = [
      ["duration", "Duration", clock(figures.durationS)],
      ["turns", "Replies", String(figures.turns.length)],
    ];
    if (middle !== null) {
      rows.push(["p50", "Response time (median, p50)", `${Math.round(middle)} ms`]);
      rows.push(["slowest", "Slowest", `${Math.round(Math.max(...totals))} ms`]);
    }
    rows.push(["interruptions", "Interruptions", String(figures.interruptions)]);
    this.list.replaceChildren(
      ...rows.flatMap(([key, label, value]) => [element("dt", {}, label), element("dd", { data: { testid: `summary-${key}` } }, value)]),
    );
    this.card.hidden = false;
  }
}
