// Failures, in words that a person at the front desk can act on.
import { ConnectionError, ConnectionErrorReason, DisconnectReason, MediaDeviceFailure } from "livekit-client";

/** A failure with a stable code (for tests and support) and a sentence (for people). */
export class Failure extends Error {
  constructor(
    readonly code: string,
    sentence: string,
  ) {
    super(sentence);
  }
}

/** Why the microphone cannot be used; the call goes on by typing. */
export function microphoneFailure(error: unknown): Failure {
  if (!window.isSecureContext) return insecurePage();
  const typing = "You can still type to the agent below.";
  switch (MediaDeviceFailure.getFailure(error)) {
    case MediaDeviceFailure.PermissionDenied:
      return new Failure(
        "microphone-denied",
        `The browser does not let this page use the microphone. Allow it using the microphone or lock icon next to the address, then call again. ${typing}`,
      );
    case MediaDeviceFailure.NotFound:
      return new Failure("microphone-missing", `No microphone was found. Plug one in and call again. ${typing}`);
    case MediaDeviceFailure.DeviceInUse:
      return new Failure("microphone-in-use", `Another program is using the microphone. Close it and call again. ${typing}`);
    default:
      return new Failure("microphone-failed", `The microphone did not start. Choose another one and call again. ${typing}`);
  }
}

/** Browsers allow the microphone only on HTTPS pages and localhost. */
export function insecurePage(): Failure {
  return new Failure(
    "insecure-page",
    `The browser allows the microphone only on secure pages. Open http://localhost:${location.port || "80"} on the box itself, or ask for Callbox to be served over HTTPS (network.tls_cert and network.tls_key in configs/site.yaml). You can still type to the agent below.`,
  );
}

/** Why the room could not be joined. */
export function connectionFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof ConnectionError && error.reason === ConnectionErrorReason.NotAllowed)
    return new Failure(
      "token-refused",
      "The media server refused this call's token. The web server and livekit-server must use the same key and secret (.env); restart both with make run.",
    );
  return new Failure(
    "media-unreachable",
    "The media server on this box cannot be reached. Check that livekit-server is running and that no firewall blocks its port, then call again.",
  );
}

export function agentMissing(): Failure {
  return new Failure("agent-missing", "All lines are busy or the agent is not running. Please try again in a moment.");
}

export function reconnecting(): Failure {
  return new Failure("reconnecting", "The connection was lost. Reconnecting…");
}

export function soundBlocked(): Failure {
  return new Failure("sound-blocked", "The browser is blocking the agent’s sound. Click anywhere on this page to hear it.");
}

export function agentLeft(): Failure {
  return new Failure("agent-left", "The agent ended the call.");
}

/** Why a call ended; null when the caller hung up. */
export function disconnectFailure(reason: DisconnectReason | undefined): Failure | null {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
      return null;
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.PARTICIPANT_REMOVED:
    case DisconnectReason.ROOM_CLOSED:
      return agentLeft();
    case DisconnectReason.SERVER_SHUTDOWN:
      return new Failure("media-stopped", "The media server on this box was stopped. Please call again in a moment.");
    case DisconnectReason.DUPLICATE_IDENTITY:
      return new Failure("joined-elsewhere", "This call moved to another window.");
    default:
      return new Failure("connection-lost", "The connection was lost and could not be restored. Please call again.");
  }
}
