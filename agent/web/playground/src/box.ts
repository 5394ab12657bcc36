// The box's web server: its status, and a token for a new call.
import { Failure } from "./failures";

export interface BoxStatus {
  ready: boolean;
  busy: boolean;
  message: string | null;
  profile: string | null;
  examples: string[];
}

export interface CallTicket {
  url: string;
  token: string;
  room: string;
}

export async function fetchStatus(): Promise<BoxStatus> {
  return request<BoxStatus>("/api/status", {});
}

/** Asks for a call. A refusal is a Failure with the server's own sentence. */
export async function requestCall(): Promise<CallTicket> {
  return request<CallTicket>("/api/calls", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: "{}",
  });
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, cache: "no-store", signal: AbortSignal.timeout(8000) });
  } catch {
    throw new Failure("box-unreachable", "This box's web server does not answer. Check that Callbox is running and that you are on the same network.");
  }
  const body = (await response.json().catch(() => ({}))) as T & { error?: string };
  if (!response.ok) throw new Failure("call-refused", body.error ?? `The box refused the call (status ${response.status}).`);
  return body;
}
