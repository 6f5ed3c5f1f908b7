"""The leaf that everyone may use: settings, clock, encryption, texts, ids."""
