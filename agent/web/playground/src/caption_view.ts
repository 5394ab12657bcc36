// The conversation as bubbles: the caller's words grey until final, the agent's words struck where they were cut.
import { byId, element } from "./dom";
import type { Segment, Speaker } from "./transcript";
import type { ToolEvent } from "./turns";

const NAMES: Record<Speaker, string> = { caller: "You", agent: "Agent" };

export class CaptionView {
  private readonly list = byId<HTMLOListElement>("captions");
  private readonly scroll = byId("caption-scroll");
  private readonly empty = byId("empty");
  private readonly announcer = byId("announcer");
  private readonly shown = new Map<string, HTMLParagraphElement>();
  private readonly announced = new Set<string>();

  clear(): void {
    this.list.replaceChildren();
    this.announcer.replaceChildren();
    this.shown.clear();
    this.announced.clear();
    this.empty.hidden = false;
  }

  show(segment: Segment): void {
    this.keepAtEnd(() => {
      const words = this.shown.get(segment.id) ?? this.open(segment);
      words.dataset.final = String(segment.final);
      words.dataset.interrupted = String(segment.interrupted);
      words.hidden = !segment.text.trim() && !segment.unheard.trim();
      words.replaceChildren(...content(segment));
      this.hideEmptyBubbles(words);
    });
    if (segment.final) this.announce(segment);
  }

  showTool(tool: ToolEvent): void {
    const words = [tool.name, tool.status].filter(Boolean).map((part) => part.replaceAll("_", " "));
    const item = element("li", { class: "tool", data: { testid: "tool", tool: tool.name } }, words.join(": "));
    this.keepAtEnd(() => this.list.append(item));
    this.empty.hidden = true;
  }

  private open(segment: Segment): HTMLParagraphElement {
    const words = element("p", { class: "words", data: { testid: `words-${segment.speaker}` } });
    this.shown.set(segment.id, words);
    this.bubbleFor(segment.speaker).append(words);
    this.empty.hidden = true;
    return words;
  }

  /** Segments of one speaker in a row share a bubble. */
  private bubbleFor(speaker: Speaker): HTMLElement {
    const last = this.list.lastElementChild;
    if (last instanceof HTMLElement && last.dataset.speaker === speaker) return last;
    const item = element("li", { class: "caption", data: { speaker } }, element("p", { class: "who" }, NAMES[speaker]));
    this.list.append(item);
    return item;
  }

  private hideEmptyBubbles(words: HTMLElement): void {
    const bubble = words.parentElement;
    if (bubble) bubble.hidden = bubble.querySelector(".words:not([hidden])") === null;
  }

  /** Screen readers hear each finished segment once; interim words would interrupt them all the time. */
  private announce(segment: Segment): void {
    if (this.announced.has(segment.id) || !segment.text.trim()) return;
    this.announced.add(segment.id);
    this.announcer.append(element("p", {}, `${NAMES[segment.speaker]}: ${segment.text}`));
  }

  /** New words keep the end in view, unless the reader has scrolled up. */
  private keepAtEnd(change: () => void): void {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    const atEnd = scrollHeight - scrollTop - clientHeight < 60;
    change();
    if (atEnd) this.scroll.scrollTop = this.scroll.scrollHeight;
  }
}

function content(segment: Segment): (Node | string)[] {
  if (!segment.interrupted) return [segment.text];
  const cut = element("span", { class: "cut", data: { testid: "cut" } }, "interrupted");
  return segment.unheard ? [segment.text.trimEnd(), element("del", {}, segment.unheard), cut] : [segment.text, cut];
}
