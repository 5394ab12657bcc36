// The line in the page's head: whether a call can be taken, the profile, and what its models understand.
import { type BoxStatus, fetchStatus } from "./box";
import { byId, element } from "./dom";
import type { Playground } from "./playground";

const STATUS_INTERVAL_MS = 5000;

export class LineView {
  private readonly line = byId("line");
  private readonly words = byId("line-text");
  private readonly profile = byId("profile");
  private readonly examples = byId("examples");

  constructor(private readonly playground: Playground) {
    void this.ask();
    window.setInterval(() => void this.ask(), STATUS_INTERVAL_MS);
  }

  private async ask(): Promise<void> {
    if (document.hidden) return;
    try {
      this.show(await fetchStatus());
    } catch {
      this.say("down", "The web server does not answer");
    }
  }

  private show(status: BoxStatus): void {
    if (status.ready) this.say("ready", "Ready for calls");
    else this.say(status.busy ? "busy" : "down", headline(status.message ?? "Not ready"));
    this.profile.hidden = !status.profile;
    this.profile.textContent = `${status.profile ?? ""} profile`;
    if (this.examples.hidden && status.examples.length > 0) this.offer(status.examples);
  }

  private say(state: string, words: string): void {
    this.line.dataset.state = state;
    if (this.words.textContent !== words) this.words.textContent = words;
  }

  private offer(sentences: string[]): void {
    const items = sentences.map((sentence) => {
      const button = element("button", {}, sentence);
      button.type = "button";
      button.disabled = document.body.dataset.phase !== "live";
      button.addEventListener("click", () => void this.playground.type(sentence));
      return element("li", {}, button);
    });
    byId("examples-list").replaceChildren(...items);
    this.examples.hidden = false;
  }
}

/** A message's first sentence, without its full stop. */
function headline(message: string): string {
  return message.split(". ")[0]!.replace(/\.$/, "");
}
