// Microphone choice, level meter, mute, and the agent's volume.
import { byId, element } from "./dom";
import { type Failure, microphoneFailure } from "./failures";
import { type Microphone, microphones } from "./microphone";

export class SoundView {
  private readonly choice = byId<HTMLSelectElement>("microphone");
  private readonly meter = byId("level");
  private readonly bar = byId("level-bar");
  private readonly mute = byId<HTMLButtonElement>("mute");
  private readonly volumeSlider = byId<HTMLInputElement>("volume");
  private microphone: Microphone | null = null;

  constructor(
    onVolume: (volume: number) => void,
    private readonly onFailure: (failure: Failure) => void,
  ) {
    this.choice.addEventListener("change", () => void this.choose());
    this.mute.addEventListener("click", () => void this.toggleMute());
    this.volumeSlider.addEventListener("input", () => onVolume(this.volume));
    if (window.isSecureContext) navigator.mediaDevices.addEventListener("devicechange", () => void this.listMicrophones());
    void this.listMicrophones();
  }

  get chosen(): string {
    return this.choice.value;
  }

  get volume(): number {
    return Number(this.volumeSlider.value) / 100;
  }

  /** Follows a microphone through a call; null when the call has none, or is over. */
  follow(microphone: Microphone | null): void {
    this.microphone = microphone;
    this.mute.hidden = microphone === null;
    this.showMuted(false);
    this.drawLevel(0);
    if (!microphone) return;
    void this.listMicrophones();
    const draw = (): void => {
      if (this.microphone !== microphone) return;
      this.drawLevel(microphone.level());
      requestAnimationFrame(draw);
    };
    draw();
  }

  private async choose(): Promise<void> {
    try {
      await this.microphone?.choose(this.choice.value);
    } catch (error) {
      this.onFailure(microphoneFailure(error));
    }
  }

  private async toggleMute(): Promise<void> {
    const muted = this.mute.getAttribute("aria-pressed") !== "true";
    this.showMuted(muted);
    await this.microphone?.setMuted(muted);
  }

  private showMuted(muted: boolean): void {
    this.mute.setAttribute("aria-pressed", String(muted));
    this.mute.textContent = muted ? "Muted" : "Mute";
  }

  private drawLevel(level: number): void {
    this.bar.style.transform = `scaleX(${level.toFixed(3)})`;
    this.meter.setAttribute("aria-valuenow", String(Math.round(level * 100)));
  }

  private async listMicrophones(): Promise<void> {
    const found = await microphones();
    const chosen = this.choice.value;
    const options = found.filter((one) => one.id !== "default").map((one) => new Option(one.label, one.id));
    this.choice.replaceChildren(element("option", {}, "Default microphone"), ...options);
    this.choice.options[0]!.value = "";
    this.choice.value = found.some((one) => one.id === chosen) ? chosen : "";
  }
}
