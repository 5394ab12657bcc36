// What is happening now, as one word, one colour and one shape; the call button; the call's clock.
import type { AgentState, Phase } from "./call";
import { byId, clock } from "./dom";

interface Look {
  state: "idle" | "connecting" | "listening" | "thinking" | "speaking" | "ended";
  name: string;
  note: string;
}

export type StagePhase = "idle" | "microphone" | Phase | "failed";

/** Whether a call is being made or held. */
export function isCalling(phase: StagePhase): boolean {
  return phase !== "idle" && phase !== "ended" && phase !== "failed";
}

const PHASES: Record<Exclude<StagePhase, "live">, Look> = {
  idle: { state: "idle", name: "Ready when you are", note: "Press Call to talk to the front desk." },
  microphone: { state: "connecting", name: "Waiting for the microphone", note: "Allow the microphone when the browser asks." },
  connecting: { state: "connecting", name: "Calling", note: "Connecting to this box." },
  waiting: { state: "connecting", name: "Ringing", note: "Waiting for the agent to answer." },
  reconnecting: { state: "connecting", name: "Reconnecting", note: "Trying to restore the call." },
  failed: { state: "ended", name: "Not connected", note: "Press Call to try again." },
  ended: { state: "ended", name: "Call ended", note: "Press Call to start a new one." },
};

const AGENT: Record<AgentState, Look> = {
  initializing: { state: "connecting", name: "Connected", note: "The agent is picking up." },
  idle: { state: "listening", name: "Listening", note: "Speak whenever you like." },
  listening: { state: "listening", name: "Listening", note: "Speak whenever you like." },
  thinking: { state: "thinking", name: "Thinking", note: "The answer is on its way." },
  speaking: { state: "speaking", name: "Speaking", note: "You can interrupt at any time." },
};

export class StageView {
  private readonly stage = byId("stage");
  private readonly name = byId("agent-state");
  private readonly note = byId("state-note");
  private readonly clock = byId("call-clock");
  private readonly button = byId<HTMLButtonElement>("call");

  show(phase: StagePhase, agent: AgentState): void {
    const look = phase === "live" ? (AGENT[agent] ?? AGENT.initializing) : PHASES[phase];
    document.body.dataset.phase = phase;
    this.stage.dataset.state = look.state;
    if (this.name.textContent !== look.name) this.name.textContent = look.name;
    this.note.textContent = look.note;
    const calling = isCalling(phase);
    this.button.textContent = calling ? "Hang up" : "Call";
    this.button.dataset.action = calling ? "hang-up" : "call";
    this.clock.hidden = !calling || phase === "microphone";
  }

  showTime(seconds: number): void {
    this.clock.textContent = clock(seconds);
  }
}
