"""One small module a messenger: receive, render, send."""
