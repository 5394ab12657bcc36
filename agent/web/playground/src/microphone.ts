// The caller's microphone: choice, level, mute.
import { LocalAudioTrack, TrackEvent, createLocalAudioTrack } from "livekit-client";
import { Failure, insecurePage, microphoneFailure } from "./failures";

export interface MicrophoneChoice {
  id: string;
  label: string;
}

/** The microphones that the browser lists; their names appear once the page may use one. */
export async function microphones(): Promise<MicrophoneChoice[]> {
  if (!window.isSecureContext) return [];
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter((device) => device.kind === "audioinput" && device.deviceId && device.label)
    .map((device) => ({ id: device.deviceId, label: device.label }));
}

/** Opens a microphone ("" is the browser's default). Throws a Failure that says why it cannot. */
export async function openMicrophone(id: string): Promise<Microphone> {
  if (!window.isSecureContext) throw insecurePage();
  try {
    const device = id ? { deviceId: { exact: id } } : {};
    const options = { ...device, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    return new Microphone(await createLocalAudioTrack(options));
  } catch (error) {
    throw error instanceof Failure ? error : microphoneFailure(error);
  }
}

export class Microphone {
  private readonly context = new AudioContext();
  private readonly analyser = new AnalyserNode(this.context, { fftSize: 1024 });
  private readonly samples = new Float32Array(this.analyser.fftSize);
  private source: MediaStreamAudioSourceNode | null = null;

  constructor(readonly track: LocalAudioTrack) {
    this.listen();
    track.on(TrackEvent.Restarted, () => this.listen());
  }

  /** Loudness of the last 20 ms between 0 (silence, -60 dBFS) and 1 (-6 dBFS and above). */
  level(): number {
    if (this.track.isMuted) return 0;
    this.analyser.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0) / this.samples.length;
    const decibels = 10 * Math.log10(power + 1e-12);
    return Math.min(1, Math.max(0, (decibels + 60) / 54));
  }

  async setMuted(muted: boolean): Promise<void> {
    await (muted ? this.track.mute() : this.track.unmute());
  }

  async choose(id: string): Promise<void> {
    await this.track.setDeviceId(id || "default");
  }

  async close(): Promise<void> {
    this.track.stop();
    await this.context.close();
  }

  private listen(): void {
    this.source?.disconnect();
    this.source = this.context.createMediaStreamSource(new MediaStream([this.track.mediaStreamTrack]));
    this.source.connect(this.analyser);
  }
}
