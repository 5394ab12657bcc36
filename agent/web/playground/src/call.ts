// One call: joins the room, passes on what happens in it, and ends. Knows LiveKit; knows nothing of the page.
import {
  DefaultReconnectPolicy,
  DisconnectReason,
  ParticipantKind,
  RemoteAudioTrack,
  RemoteParticipant,
  Room,
  RoomEvent,
  type TextStreamReader,
  Track,
  setLogLevel,
} from "livekit-client";
import { requestCall } from "./box";
import { Failure, agentLeft, agentMissing, connectionFailure, disconnectFailure, reconnecting, soundBlocked } from "./failures";
import type { Microphone } from "./microphone";
import type { Caption } from "./transcript";
import { type ToolEvent, type Turn, parseTool, parseTurn } from "./turns";

export type Phase = "connecting" | "waiting" | "live" | "reconnecting" | "ended";
export type AgentState = "initializing" | "listening" | "thinking" | "speaking" | "idle";

setLogLevel("warn");

export interface CallListener {
  phase(phase: Phase): void;
  agentState(state: AgentState): void;
  caption(caption: Caption): void;
  turn(turn: Turn): void;
  tool(tool: ToolEvent): void;
  /** Something a person should read; null takes the last one back. */
  failure(failure: Failure | null): void;
}

const TOPIC = { captions: "lk.transcription", chat: "lk.chat", turn: "callbox.turn", tool: "callbox.tool" } as const;
const AGENT_STATE = "lk.agent.state";
const AGENT_JOIN_TIMEOUT_MS = 10_000;
/** About 10 s of attempts: long enough for a network hiccup, short enough for a caller to wait. */
const RECONNECT_DELAYS_MS = [0, 300, 700, 1500, 2500, 2500, 2500];

export class Call {
  private readonly room = new Room({
    reconnectPolicy: new DefaultReconnectPolicy(RECONNECT_DELAYS_MS),
    disconnectOnPageLeave: true,
    // With one connection for both directions, 1 call in 4 failed when the agent joined while the microphone was published
    // (livekit-client 2.23.0, livekit-server 1.13.5); with two, none of 25.
    singlePeerConnection: false,
  });
  private agent: RemoteParticipant | null = null;
  private joinTimer: number | undefined;
  private volume = 1;
  private streams = 0;
  private typed = 0;
  private ended = false;

  constructor(private readonly listener: CallListener) {
    this.followRoom();
    this.followTopics();
  }

  /** Joins a new call. Never raises: what goes wrong is told to the listener, and the call is over. */
  async start(microphone: Microphone | null): Promise<void> {
    this.listener.phase("connecting");
    try {
      const ticket = await requestCall();
      if (this.ended) return;
      // No ICE servers: sound goes straight to the box, and the browser asks nobody else for its address.
      await this.room.connect(ticket.url, ticket.token, { maxRetries: 1, rtcConfig: { iceServers: [] } });
      if (microphone) await this.room.localParticipant.publishTrack(microphone.track, { source: Track.Source.Microphone });
    } catch (error) {
      // The sentence is for the caller; this is for whoever is asked why.
      console.warn("the call could not be joined:", error);
      await this.end(connectionFailure(error));
      return;
    }
    this.waitForAgent();
  }

  async hangUp(): Promise<void> {
    await this.end(null);
  }

  /** Sends typed words to the agent; they are the caller's words like spoken ones. */
  async type(text: string): Promise<void> {
    await this.room.localParticipant.sendText(text, { topic: TOPIC.chat });
    this.typed += 1;
    this.listener.caption({
      segmentId: `typed-${this.typed}`,
      stream: 0,
      speaker: "caller",
      text,
      final: true,
      interrupted: false,
    });
  }

  setVolume(volume: number): void {
    this.volume = volume;
    for (const participant of this.room.remoteParticipants.values())
      for (const publication of participant.audioTrackPublications.values())
        if (publication.track instanceof RemoteAudioTrack) publication.track.setVolume(volume);
  }

  private waitForAgent(): void {
    if (this.ended || this.agent) return;
    this.listener.phase("waiting");
    this.joinTimer = window.setTimeout(() => void this.end(agentMissing()), AGENT_JOIN_TIMEOUT_MS);
    this.room.remoteParticipants.forEach((participant) => this.greet(participant));
  }

  private greet(participant: RemoteParticipant): void {
    if (this.agent || this.ended || participant.kind !== ParticipantKind.AGENT) return;
    window.clearTimeout(this.joinTimer);
    this.agent = participant;
    this.listener.phase("live");
    this.tellState(participant);
  }

  private tellState(participant: RemoteParticipant): void {
    this.listener.agentState((participant.attributes[AGENT_STATE] ?? "initializing") as AgentState);
  }

  private async end(failure: Failure | null): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    window.clearTimeout(this.joinTimer);
    this.listener.failure(failure);
    this.listener.phase("ended");
    await this.room.disconnect();
  }

  private followRoom(): void {
    this.room
      .on(RoomEvent.ParticipantConnected, (participant) => this.greet(participant))
      .on(RoomEvent.ParticipantDisconnected, (participant) => {
        if (participant === this.agent) void this.end(agentLeft());
      })
      .on(RoomEvent.ParticipantAttributesChanged, (changed, participant) => {
        if (participant === this.agent && AGENT_STATE in changed) this.tellState(this.agent);
      })
      .on(RoomEvent.TrackSubscribed, (track) => {
        if (!(track instanceof RemoteAudioTrack)) return;
        document.body.append(track.attach());
        track.setVolume(this.volume);
      })
      .on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((sound) => sound.remove()))
      .on(RoomEvent.AudioPlaybackStatusChanged, (mayPlay: boolean) => {
        if (mayPlay || this.ended) return;
        this.listener.failure(soundBlocked());
        const play = (): void => void this.room.startAudio().then(() => this.listener.failure(null));
        window.addEventListener("click", play, { once: true });
      })
      .on(RoomEvent.SignalReconnecting, () => this.interrupted())
      .on(RoomEvent.Reconnecting, () => this.interrupted())
      .on(RoomEvent.Reconnected, () => {
        if (this.ended) return;
        this.listener.failure(null);
        this.listener.phase(this.agent ? "live" : "waiting");
      })
      .on(RoomEvent.Disconnected, (reason?: DisconnectReason) => {
        // Before the room was joined, start() tells what went wrong.
        if (this.agent || this.joinTimer !== undefined) void this.end(disconnectFailure(reason));
      });
  }

  private interrupted(): void {
    if (this.ended) return;
    this.listener.failure(reconnecting());
    this.listener.phase("reconnecting");
  }

  private followTopics(): void {
    this.room.registerTextStreamHandler(TOPIC.captions, (reader, from) => void this.readCaption(reader, from.identity));
    for (const topic of [TOPIC.turn, TOPIC.tool])
      this.room.registerTextStreamHandler(topic, (reader) => void reader.readAll().then((text) => this.message(topic, text), () => undefined));
    this.room.on(RoomEvent.DataReceived, (payload, _participant, _kind, topic) => {
      if (topic) this.message(topic, new TextDecoder().decode(payload));
    });
  }

  private message(topic: string, text: string): void {
    const turn = topic === TOPIC.turn ? parseTurn(text) : null;
    const tool = topic === TOPIC.tool ? parseTool(text) : null;
    if (turn) this.listener.turn(turn);
    if (tool) this.listener.tool(tool);
  }

  /** A stream is either the whole text so far or grows by pieces; its attributes may change at its end. */
  private async readCaption(reader: TextStreamReader, identity: string): Promise<void> {
    this.streams += 1;
    const stream = this.streams;
    let text = "";
    const tell = (): void => {
      const attributes = reader.info.attributes ?? {};
      this.listener.caption({
        segmentId: attributes["lk.segment_id"] ?? reader.info.id,
        stream,
        speaker: identity === this.room.localParticipant.identity ? "caller" : "agent",
        text,
        final: attributes["lk.transcription_final"] === "true",
        interrupted: attributes["callbox.interrupted"] === "true",
      });
    };
    try {
      for await (const piece of reader) {
        text += piece;
        tell();
      }
      tell();
    } catch {
      // The sender left in mid-stream: what has arrived stays as it is.
    }
  }
}
