// One turn's latency: what the agent reports, and where its stages lie on a time line. No page, no network.

/** All times in milliseconds; null where the agent did not measure. */
export interface Turn {
  turn: number;
  voice_to_voice_ms: number | null;
  end_of_turn_delay_ms: number | null;
  transcription_delay_ms: number | null;
  preflight_delay_ms: number | null;
  llm_ttft_ms: number | null;
  tts_ttfb_ms: number | null;
  preempted: boolean;
  end_of_turn_probability: number | null;
}

export interface Stage {
  key: "transcript" | "turn" | "model" | "voice";
  label: string;
  /** From the caller's last word. */
  startMs: number;
  durationMs: number;
  /** Runs in the silence, before the turn is decided: costs no waiting. */
  ahead: boolean;
}

export type Pace = "good" | "fair" | "slow";

export const GOOD_MS = 500;
export const FAIR_MS = 800;

/** Reads a turn message; null when it is not one. */
export function parseTurn(text: string): Turn | null {
  const message = parseObject(text);
  const turn = message && milliseconds(message, "turn");
  if (!message || turn === null) return null;
  return {
    turn: turn as number,
    voice_to_voice_ms: milliseconds(message, "voice_to_voice_ms"),
    end_of_turn_delay_ms: milliseconds(message, "end_of_turn_delay_ms"),
    transcription_delay_ms: milliseconds(message, "transcription_delay_ms"),
    preflight_delay_ms: milliseconds(message, "preflight_delay_ms"),
    llm_ttft_ms: milliseconds(message, "llm_ttft_ms"),
    tts_ttfb_ms: milliseconds(message, "tts_ttfb_ms"),
    preempted: message.preempted === true,
    end_of_turn_probability: milliseconds(message, "end_of_turn_probability"),
  };
}

export interface ToolEvent {
  name: string;
  status: string;
}

export function parseTool(text: string): ToolEvent | null {
  const message = parseObject(text);
  if (typeof message?.name !== "string") return null;
  return { name: message.name, status: typeof message.status === "string" ? message.status : "" };
}

/**
 * The stages on a line that begins at the caller's last word. A preempted reply starts at the preflight transcript
 * (at the transcript where that time is not reported); any other starts when the turn is decided.
 */
export function stages(turn: Turn): Stage[] {
  const decided = turn.end_of_turn_delay_ms ?? turn.transcription_delay_ms ?? 0;
  const early = Math.min(turn.preflight_delay_ms ?? turn.transcription_delay_ms ?? decided, decided);
  const modelStart = turn.preempted ? early : decided;
  const voiceStart = modelStart + (turn.llm_ttft_ms ?? 0);
  const drawn: [Stage["key"], string, number, number | null][] = [
    ["transcript", "Transcript", 0, turn.transcription_delay_ms],
    ["turn", "End of turn", 0, turn.end_of_turn_delay_ms],
    ["model", "First token", modelStart, turn.llm_ttft_ms],
    ["voice", "First sound", voiceStart, turn.tts_ttfb_ms],
  ];
  return drawn
    .filter((stage): stage is [Stage["key"], string, number, number] => stage[3] !== null)
    .map(([key, label, startMs, durationMs]) => ({ key, label, startMs, durationMs, ahead: turn.preempted && (key === "model" || key === "voice") }));
}

export function pace(ms: number): Pace {
  return ms <= GOOD_MS ? "good" : ms <= FAIR_MS ? "fair" : "slow";
}

/** The middle value; the mean of the two in the middle of an even number. Null for none. */
export function median(values: number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function milliseconds(message: Record<string, unknown>, key: string): number | null {
  const value = message[key];
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null;
}
