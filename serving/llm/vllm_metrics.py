"""vLLM's scheduler statistics as our metrics. Does not import vLLM."""

from typing import Any

from serving import metrics


class SchedulerMetrics:
    """Has the methods of vLLM's StatLoggerBase (vllm/v1/metrics/loggers.py, 0.32)."""

    def __init__(self, vllm_config: Any, engine_index: int = 0) -> None:
        pass

    def record(self, scheduler_stats: Any, iteration_stats: Any, *args: Any, **more: Any) -> None:
        """Called on vLLM's loop after each step of the model."""
        if scheduler_stats is not None:
            metrics.LLM_KV_USE.set(scheduler_stats.kv_cache_usage)
            metrics.LLM_REQUESTS.labels("running").set(scheduler_stats.num_running_reqs)
            metrics.LLM_REQUESTS.labels("waiting").set(scheduler_stats.num_waiting_reqs)
        if iteration_stats is not None:
            for finished in iteration_stats.finished_requests:
                metrics.LLM_QUEUE.observe(finished.queued_time)

    def log_engine_initialized(self) -> None:
        """Does nothing."""

    def log(self) -> None:
        """Does nothing."""
