// One call at a time, wired to the page.
import { type AgentState, Call, type Phase } from "./call";
import { CaptionView } from "./caption_view";
import { byId, element } from "./dom";
import { Failure, insecurePage } from "./failures";
import { type Microphone, openMicrophone } from "./microphone";
import { SoundView } from "./sound_view";
import { StageView, type StagePhase, isCalling } from "./stage_view";
import { SummaryView } from "./summary_view";
import { Transcript } from "./transcript";
import { TurnView } from "./turn_view";
import type { Turn } from "./turns";

/** Failures that inform rather than report an error. */
const INFORMING = new Set(["sound-blocked", "agent-left", "reconnecting", "joined-elsewhere"]);

export class Playground {
  private readonly captions = new CaptionView();
  private readonly turnView = new TurnView();
  private readonly summary = new SummaryView();
  private readonly stage = new StageView();
  private readonly sound = new SoundView(
    (volume) => this.call?.setVolume(volume),
    (failure) => this.tell(failure),
  );
  private readonly notice = byId("notice");
  private readonly message = byId<HTMLInputElement>("message");
  private readonly download = byId<HTMLButtonElement>("download");
  private call: Call | null = null;
  private microphone: Microphone | null = null;
  private microphoneFailure: Failure | null = null;
  private transcript = new Transcript();
  private turns: Turn[] = [];
  private phase: StagePhase = "idle";
  private agent: AgentState = "initializing";
  private startedMs = 0;

  constructor() {
    byId("call").addEventListener("click", () => void (this.calling ? this.hangUp() : this.start()));
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.type(this.message.value);
    });
    this.download.addEventListener("click", () => this.save());
    window.setInterval(() => this.tick(), 250);
    if (!window.isSecureContext) this.tell(insecurePage());
  }

  get calling(): boolean {
    return isCalling(this.phase);
  }

  async type(text: string): Promise<void> {
    const words = text.trim();
    if (!words || this.phase !== "live") return;
    this.message.value = "";
    try {
      await this.call?.type(words);
    } catch {
      this.message.value = words;
      this.tell(new Failure("not-sent", "Your message could not be sent. Please try again."));
    }
  }

  private async start(): Promise<void> {
    this.reset();
    const call = new Call({
      phase: (phase) => this.enter(phase),
      agentState: (state) => this.show(this.phase, state),
      caption: (caption) => {
        const segment = this.transcript.apply(caption, this.elapsedS);
        if (segment) this.captions.show(segment);
        this.download.disabled = this.transcript.segments.length === 0;
        // Two states in quick succession may arrive in the wrong order; spoken words prove the second one.
        if (caption.speaker === "agent" && !caption.final && caption.text.trim() && this.agent === "thinking")
          this.show(this.phase, "speaking");
      },
      turn: (turn) => {
        this.turns.push(turn);
        this.turnView.show(turn);
      },
      tool: (tool) => this.captions.showTool(tool),
      failure: (failure) => this.tell(failure ?? (this.calling ? this.microphoneFailure : null)),
    });
    this.call = call;
    const microphone = await this.askForMicrophone();
    if (this.call !== call || !this.calling) return void microphone?.close();
    this.microphone = microphone;
    this.sound.follow(microphone);
    call.setVolume(this.sound.volume);
    await call.start(microphone);
  }

  private async askForMicrophone(): Promise<Microphone | null> {
    this.show("microphone", "initializing");
    try {
      return await openMicrophone(this.sound.chosen);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.microphoneFailure = error;
      this.tell(error);
      return null;
    }
  }

  private async hangUp(): Promise<void> {
    await this.call?.hangUp();
  }

  private reset(): void {
    this.transcript = new Transcript();
    this.turns = [];
    this.microphoneFailure = null;
    this.startedMs = performance.now();
    this.captions.clear();
    this.turnView.clear();
    this.summary.hide();
    this.tell(null);
    this.download.disabled = true;
  }

  private enter(phase: Phase): void {
    if (phase === "live" && this.phase !== "reconnecting") this.startedMs = performance.now();
    const wasLive = this.phase === "live" || this.phase === "reconnecting";
    const failed = phase === "ended" && !wasLive && !this.notice.hidden;
    this.show(failed ? "failed" : phase, this.agent);
    if (phase !== "ended") return;
    if (wasLive) this.summary.show({ durationS: this.elapsedS, turns: this.turns, interruptions: this.transcript.interruptions });
    void this.microphone?.close();
    this.microphone = null;
    this.sound.follow(null);
  }

  private show(phase: StagePhase, agent: AgentState): void {
    this.phase = phase;
    this.agent = agent;
    this.stage.show(phase, agent);
    const live = phase === "live";
    this.message.disabled = !live;
    byId<HTMLButtonElement>("send").disabled = !live;
    document.querySelectorAll<HTMLButtonElement>("#examples-list button").forEach((button) => (button.disabled = !live));
  }

  private tell(failure: Failure | null): void {
    this.notice.hidden = failure === null;
    this.notice.textContent = failure?.message ?? "";
    this.notice.dataset.code = failure?.code ?? "";
    this.notice.dataset.tone = failure && INFORMING.has(failure.code) ? "info" : "error";
  }

  private tick(): void {
    if (this.calling) this.stage.showTime(this.elapsedS);
  }

  private get elapsedS(): number {
    return (performance.now() - this.startedMs) / 1000;
  }

  private save(): void {
    const now = new Date();
    const text = this.transcript.toText(`Callbox call, ${now.toLocaleString()}`);
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    link.download = `callbox-${now.toISOString().slice(0, 19).replaceAll(":", "-")}.txt`;
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}
