"""Every metric of the product. Labels hold names of stages and outcomes, never anything a person said."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry(auto_describe=True)

_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0)


def _histogram(name: str, text: str) -> Histogram:
    return Histogram(f"callbox_{name}_seconds", text, buckets=_SECONDS, registry=REGISTRY)


VOICE_TO_VOICE = _histogram("voice_to_voice", "Caller's last word to the agent's first sound, as the worker sees it.")
STT_FINAL_DELAY = _histogram("stt_final_delay", "Caller's last word to the final transcript.")
END_OF_TURN_DELAY = _histogram("end_of_turn_delay", "Caller's last word to the decision that the turn is over.")
LLM_TTFT = _histogram("llm_ttft", "Request to the first token of the reply.")
LLM_QUEUE = _histogram("llm_queue", "Request to the first step of the model that works on it (vLLM).")
TTS_TTFB = _histogram("tts_ttfb", "First text to the first sound.")
TURN_INFERENCE = _histogram("turn_inference", "Duration of one judgement of the end-of-turn model.")
INTERRUPTION_INFERENCE = _histogram("interruption_inference", "Duration of one judgement of the interruption model.")
INTERRUPTION_DELAY = _histogram(
    "interruption_delay", "Onset of a sound over the agent's voice to the decision that it interrupts."
)
END_OF_TURN_PROBABILITY = Histogram(
    "callbox_end_of_turn_probability",
    "The end-of-turn model's last probability for each answered turn.",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0),
    registry=REGISTRY,
)
TURN_JUDGEMENTS = Histogram(
    "callbox_turn_judgements",
    "Judgements of the end-of-turn model per turn, those in pauses within it included.",
    buckets=(0, 1, 2, 3, 5, 8, 12, 20, 40),
    registry=REGISTRY,
)
TURN_ENDS = Counter(
    "callbox_turn_ends",
    "Turns by what ended them: a judgement, the longest delay, or silence without a judgement.",
    ("decided_by",),
    registry=REGISTRY,
)

TURNS = Counter("callbox_turns", "Answered turns.", ("preempted",), registry=REGISTRY)
CALLS = Counter("callbox_calls", "Calls by how they ended.", ("outcome",), registry=REGISTRY)
ACTIVE_CALLS = Gauge("callbox_active_calls", "Calls in progress.", registry=REGISTRY)
CALL_EVENTS_LOST = Counter(
    "callbox_call_events_lost",
    "Events of a call that a subscriber was too slow to take.",
    ("subscriber",),
    registry=REGISTRY,
)
CALL_EVENTS_FAILED = Counter(
    "callbox_call_events_failed",
    "Events of a call that a subscriber failed to handle.",
    ("subscriber",),
    registry=REGISTRY,
)
ENGINE_ERRORS = Counter("callbox_engine_errors", "Errors that reached a call.", ("stage",), registry=REGISTRY)
ENGINE_RELOADS = Counter("callbox_engine_reloads", "Engines reloaded after they died.", ("stage",), registry=REGISTRY)
ENGINE_READY = Gauge(
    "callbox_engine_ready", "1 while the engine is loaded, warm and working.", ("stage",), registry=REGISTRY
)
OVERLAPS = Counter(
    "callbox_overlaps",
    "Sounds over the agent's voice, by verdict; fallback: the VAD decided.",
    ("verdict",),
    registry=REGISTRY,
)
INTERRUPTIONS = Counter("callbox_interruptions", "Replies cut short by the caller.", registry=REGISTRY)
TOOL_CALLS = Counter("callbox_tool_calls", "Tools called, by outcome.", ("tool", "status"), registry=REGISTRY)
PROMPT_TOKENS = Counter(
    "callbox_prompt_tokens", "Prompt tokens, by whether the prefix cache had them.", ("cached",), registry=REGISTRY
)
LLM_REQUESTS = Gauge(
    "callbox_llm_requests",
    "Replies being generated, and requests waiting (vLLM).",
    ("state",),
    registry=REGISTRY,
)
LLM_KV_USE = Gauge(
    "callbox_llm_kv_use", "Share of the KV cache that running requests hold, 0 to 1 (vLLM).", registry=REGISTRY
)
LLM_PREFILLS = Counter(
    "callbox_llm_prefills", "Prompts computed while their caller was still speaking (vLLM).", registry=REGISTRY
)
SPECULATIONS = Counter(
    "callbox_speculations",
    "Replies begun before their turn was over: adopted, or thrown_away because the caller went on.",
    ("outcome",),
    registry=REGISTRY,
)
SPECULATIONS_PUT_OFF = Counter(
    "callbox_speculations_put_off",
    "Speculative replies that were put off, by reason: budget, load, or an unlikely end of turn.",
    ("reason",),
    registry=REGISTRY,
)
SPECULATION_LEAD = _histogram(
    "speculation_lead", "How much sooner an answer could be heard because it was begun early."
)
REPLY_TOKENS = Counter(
    "callbox_reply_tokens",
    "Tokens generated for replies: useful, or wasted on replies that were thrown away.",
    ("use",),
    registry=REGISTRY,
)
REPLY_AUDIO = Counter(
    "callbox_reply_audio_seconds",
    "Speech synthesized for replies: useful, or wasted on replies that were thrown away.",
    ("use",),
    registry=REGISTRY,
)
