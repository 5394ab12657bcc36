// Entry point of the page's script.
import { LineView } from "./line_view";
import { Playground } from "./playground";

// Pages served over plain http lack randomUUID, which livekit-client needs to send text.
crypto.randomUUID ??= () => {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
};

new LineView(new Playground());
