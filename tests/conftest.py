"""Settings of the whole test run."""

from hypothesis import HealthCheck, settings

# Speed is never asserted here (benchmarks/perf does that), so a slow machine must not fail a property.
settings.register_profile(
    "llmopt", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("llmopt")
