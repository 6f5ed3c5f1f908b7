"""The law as pure functions; every function cites its source."""
