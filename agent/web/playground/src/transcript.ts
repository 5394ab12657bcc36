// What was said, as segments that grow, become final, or are cut. No page, no network.

export type Speaker = "caller" | "agent";

export interface Caption {
  /** A new stream with the same segment id replaces the segment's text. */
  segmentId: string;
  /** Order in which the streams were opened; an older stream never overwrites a newer one. */
  stream: number;
  speaker: Speaker;
  text: string;
  final: boolean;
  /** The agent was interrupted: `text` is what was heard. */
  interrupted: boolean;
}

export interface Segment {
  id: string;
  stream: number;
  speaker: Speaker;
  text: string;
  /** Words that were shown but not heard, because the agent was interrupted. */
  unheard: string;
  final: boolean;
  interrupted: boolean;
  /** Seconds since the call began. */
  startS: number;
}

export class Transcript {
  readonly segments: Segment[] = [];

  /** Adds a caption; returns the segment that changed, or null if the caption is out of date. */
  apply(caption: Caption, nowS: number): Segment | null {
    const segment = this.segments.find((one) => one.id === caption.segmentId) ?? this.open(caption, nowS);
    if (caption.stream < segment.stream) return null;
    // A stream's pieces that arrive after the segment was finished by its own end change nothing.
    if (segment.final && !caption.final && caption.stream === segment.stream) return null;
    if (caption.interrupted && !segment.interrupted) segment.unheard = remainder(segment.text, caption.text);
    segment.stream = caption.stream;
    segment.text = caption.text;
    segment.final = caption.final;
    segment.interrupted = caption.interrupted;
    return segment;
  }

  get interruptions(): number {
    return this.segments.filter((segment) => segment.interrupted).length;
  }

  /** The transcript as plain text, one line per segment; only what was heard. */
  toText(title: string): string {
    const lines = this.segments
      .filter((segment) => segment.text.trim())
      .map((segment) => `[${stamp(segment.startS)}] ${segment.speaker === "caller" ? "Caller" : "Agent"}: ${segment.text.trim()}${segment.interrupted ? " [interrupted]" : ""}`);
    return [title, "", ...lines, ""].join("\n");
  }

  private open(caption: Caption, nowS: number): Segment {
    const segment: Segment = {
      id: caption.segmentId,
      stream: caption.stream,
      speaker: caption.speaker,
      text: "",
      unheard: "",
      final: false,
      interrupted: false,
      startS: nowS,
    };
    this.segments.push(segment);
    return segment;
  }
}

function remainder(shown: string, heard: string): string {
  return shown.startsWith(heard.trimEnd()) ? shown.slice(heard.trimEnd().length) : "";
}

function stamp(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${String(Math.floor(whole / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
}
