"""What /metrics counts: numbers only, no person and no place."""

from prometheus_client import Counter, Gauge, Histogram

TURNS = Counter("zhiyn_turns_total", "Updates received", ["channel", "result"])
TURN_SECONDS = Histogram(
    "zhiyn_turn_seconds",
    "From receiving an update to its commit",
    ["channel"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5),
)
DEAD_LETTERS = Counter("zhiyn_dead_letters_total", "Updates that a handler failed on")
SENT = Counter("zhiyn_sent_total", "What became of messages to people", ["channel", "outcome"])
WAITING = Gauge("zhiyn_outbox_waiting", "Messages that wait to be sent")
LEADER = Gauge("zhiyn_leader", "1 while this process runs the clock")
